// What a person does in a browser, whichever it is: a visit to the viewer, a login, a logout.

import { sleep, until } from '../harness/wait.mjs';
import { isImage, isToken } from '../harness/traffic.mjs';

const IMAGE = 'reader';

/** Open the viewer, and wait until it knows its services. */
export async function openViewer({ browser, stage }) {
  const [page] = await browser.windows();
  await page.goto(`${stage.viewers}/viewer/?image=${encodeURIComponent(`${stage.library}/iiif/3/${IMAGE}`)}`);
  await until(() => page.evaluate('window.seen.ready === true'), 'the viewer to be ready');
  return page;
}

/** Log in by the viewer's button; what the viewer got then. */
export async function logIn(visit, page) {
  const mark = visit.stage.traffic.mark();
  await page.click('#open');
  const window = await until(async () => (await others(visit.browser, page))[0], 'the login window');
  await fillIn(window);
  await confirm(visit.browser, page);
  const seen = await until(async () => {
    const seen = await page.evaluate('window.seen');
    return seen.after && seen;
  }, 'the viewer to have looked after the login');
  await until(
    async () => (await others(visit.browser, page)).length === 0,
    'every window of the login to be gone',
    { timeout: 4_000 },
  );
  return withRequests(visit, mark, seen.after);
}

/** Log in at the address of the publisher's that the viewer would open, in a window that it did not open. */
export async function logInElsewhere({ browser, stage }) {
  const [page] = await browser.windows();
  await page.goto(`${stage.library}/auth/login?origin=${stage.viewers}`);
  await fillIn(page);
  // The page closes itself where it may; this one was not opened by a script.
  await sleep(1_000);
}

/** Token, probe and tile once more, without a window. */
export async function look(visit, page) {
  const mark = visit.stage.traffic.mark();
  return withRequests(visit, mark, await page.evaluate('window.look()'));
}

/** Log out by the viewer's button, and ask for another tile. */
export async function logOut(visit, page) {
  const mark = visit.stage.traffic.mark();
  await page.evaluate('void (window.next = "logout")');
  await page.click('#open');
  await until(
    () => visit.stage.traffic.since(mark, ({ path }) => path.endsWith('/logout')).length > 0,
    'the logout',
  );
  const tile = await page.evaluate('window.tile()');
  return { tile: { shown: tile, requests: requests(visit, mark, isImage(IMAGE)) } };
}

/** Answer the publisher's question in a frame that one can see, with a click. */
export async function grant(visit, page) {
  await page.evaluate('void window.grant()');
  const frame = await until(
    async () => (await visit.browser.frames(page)).find(({ url }) => url.includes('/auth/grant')),
    'the grant page in its frame',
  );
  await until(() => frame.evaluate('document.querySelector("#grant") !== null'), 'its button');
  await frame.click('#grant');
  return until(async () => page.evaluate('window.seen.granted'), 'the outcome of the grant page');
}

const others = async (browser, page) => (await browser.windows()).filter(({ id }) => id !== page.id);

async function fillIn(window) {
  await until(() => has(window, 'input[name=username]'), 'the login form');
  await window.click('input[name=username]');
  await window.type('input[name=username]', IMAGE);
  await window.type('input[name=password]', IMAGE);
  await gone(window.click('button[type=submit]'));
}

/** With the hand-off there is one more page, and a click that names the viewer. */
async function confirm(browser, page) {
  await until(async () => {
    const [window] = await others(browser, page);
    if (!window || (await page.evaluate('window.seen.window !== undefined'))) return true;
    if (!(await has(window, 'button[value=continue]'))) return false;
    await gone(window.click('button[value=continue]'));
    return true;
  }, 'the login window to close or to ask for a click');
}

/** A window that is about to close, or to show another page, knows nothing. */
const has = (window, selector) =>
  window.evaluate(`document.querySelector(${JSON.stringify(selector)}) !== null`).catch(() => false);

/** A click after which the window may be gone before the driver says so. */
const gone = (click) => click.catch(() => {});

function withRequests(visit, mark, { token, probe, tile }) {
  return {
    token: { ...token, requests: requests(visit, mark, isToken) },
    probe,
    tile: { shown: tile, requests: requests(visit, mark, isImage(IMAGE)) },
  };
}

/** Each request: status, cookies, and what the browser said of its storage access. */
const requests = ({ stage }, mark, filter) =>
  stage.traffic.since(mark, filter).map(({ status, cookies, storageAccess }) => ({ status, cookies, storageAccess }));
