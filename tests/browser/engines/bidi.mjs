// WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/) as far as the cases need it.

import { once } from 'node:events';
import { within } from '../harness/wait.mjs';

const KEYS = { type: 'key', id: 'keyboard' };
const MOUSE = { type: 'pointer', id: 'mouse' };

/** A session of the browser that listens at `address`. */
export async function startBidi(address, capabilities) {
  const socket = new WebSocket(`${address}/session`);
  await within(once(socket, 'open'), `a connection to ${address}`);
  const waiting = new Map();
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(data);
    const { resolve, reject, method } = waiting.get(answer.id) ?? {};
    if (!resolve) return;
    waiting.delete(answer.id);
    if (answer.type === 'success') resolve(answer.result);
    else reject(new Error(`${method}: ${answer.error}: ${answer.message}`));
  });
  const send = (method, params = {}) => {
    const id = send.last += 1;
    const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject, method }));
    socket.send(JSON.stringify({ id, method, params }));
    return within(answer, `an answer to ${method}`);
  };
  send.last = 0;
  const session = await send('session.new', { capabilities: { alwaysMatch: capabilities } });

  const windows = async () => (await send('browsingContext.getTree', { maxDepth: 0 })).contexts;
  const page = (context) => ({
    id: context,
    goto: (url) => send('browsingContext.navigate', { context, url, wait: 'complete' }),

    /** The value of an expression or of the promise that it is, by way of JSON. */
    async evaluate(expression) {
      const { result, exceptionDetails } = await send('script.evaluate', {
        expression: `(async () => JSON.stringify(await (${expression})) ?? 'null')()`,
        target: { context },
        awaitPromise: true,
      });
      if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`);
      return JSON.parse(result.value);
    },

    async click(selector) {
      const origin = { type: 'element', element: await element(context, selector) };
      await send('input.performActions', {
        context,
        actions: [{
          ...MOUSE,
          actions: [
            { type: 'pointerMove', x: 0, y: 0, origin },
            { type: 'pointerDown', button: 0 },
            { type: 'pointerUp', button: 0 },
          ],
        }],
      });
    },

    async type(selector, text) {
      await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
      const actions = [...text].flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]);
      await send('input.performActions', { context, actions: [{ ...KEYS, actions }] });
    },
  });
  const element = async (context, selector) => {
    const { nodes } = await send('browsingContext.locateNodes', { context, locator: { type: 'css', value: selector } });
    if (nodes.length === 0) throw new Error(`there is no ${selector}`);
    return { sharedId: nodes[0].sharedId };
  };

  return {
    name: session.capabilities.browserName,
    version: session.capabilities.browserVersion,
    send,
    windows: async () => (await windows()).map(({ context }) => page(context)),
    /** The frames in `page` with their addresses. */
    async frames({ id }) {
      const { contexts } = await send('browsingContext.getTree', { root: id });
      return contexts[0].children.map(({ context, url }) => ({ ...page(context), url }));
    },
    async close() {
      await send('browser.close').catch(() => {});
      socket.close();
    },
  };
}
