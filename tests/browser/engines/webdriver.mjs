// WebDriver (https://www.w3.org/TR/webdriver2/) as far as the cases need it.

import { until } from '../harness/wait.mjs';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** A session of the driver that listens at `address`. */
export async function startWebDriver(address, capabilities) {
  const call = async (method, path, body) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
      signal: AbortSignal.timeout(30_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  await until(() => fetch(`${address}/status`).then(({ ok }) => ok, () => false), 'the driver to listen');
  const session = await call('POST', '/session', { capabilities: { alwaysMatch: capabilities } });
  const base = `/session/${session.sessionId}`;
  await call('POST', `${base}/timeouts`, { script: 30_000, pageLoad: 30_000, implicit: 0 });

  // Commands go to one window at a time.
  const page = (handle) => {
    const go = (method, path, body) =>
      call('POST', `${base}/window`, { handle }).then(() => call(method, base + path, body));
    const element = async (selector) =>
      (await go('POST', '/element', { using: 'css selector', value: selector }))[ELEMENT];
    return {
      id: handle,
      goto: (url) => go('POST', '/url', { url }),

      /** The value of an expression or of the promise that it is, by way of JSON. */
      async evaluate(expression) {
        const text = await go('POST', '/execute/async', {
          script: `const done = arguments[0];
            (async () => JSON.stringify(await (${expression})) ?? 'null')()
              .then(done, (error) => done('!' + error));`,
          args: [],
        });
        if (text.startsWith('!')) throw new Error(`${expression}: ${text}`);
        return JSON.parse(text);
      },
      click: async (selector) => go('POST', `/element/${await element(selector)}/click`),
      type: async (selector, text) => go('POST', `/element/${await element(selector)}/value`, { text }),
    };
  };

  return {
    name: session.capabilities.browserName,
    version: session.capabilities.browserVersion,
    windows: async () => (await call('GET', `${base}/window/handles`)).map(page),
    close: () => call('DELETE', base).catch(() => {}),
  };
}
