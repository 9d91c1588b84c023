// The hand-off where something is wrong: a page that says it is another viewer, and windows that do
// not know each other. Third-party cookies are blocked.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { goOn, submit, withoutHelper } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { setStage } from './harness/stage.mjs';
import { isImage, isRedeem, isToken } from './harness/traffic.mjs';
import { within } from './harness/wait.mjs';

const FULL = '/full/400,/0/default.jpg';
const ELSEWHERE = 'https://elsewhere.example';

let stage;
before(async () => { stage = await setStage({ files: await clientFiles(), handOff: true }); });
after(() => stage?.strike());

const visiting = (name, body, path) =>
  test(name, () =>
    stage.visit(`hand-off hostile ${name}`, { thirdPartyCookies: 'block' }, async (visit) => {
      const client = await openClient(visit, path);
      await body(visit, client, await client.services('reader'));
    }));

/** Log in for a viewer at `origin`, up to the page that asks for the click. */
async function upToTheClick(visit, client, services, origin) {
  // Not as a popup of the page: a page may be cut off from it.
  const [window] = await Promise.all([
    within(visit.context.waitForEvent('page'), 'a window to open'),
    client.open(`${services.access.id}?origin=${origin}`),
  ]);
  await window.locator('input[name=username]').fill('reader');
  await window.locator('input[name=password]').fill('reader');
  await withoutHelper(window);
  await submit(window);
  await window.locator('form[data-hand-off]').waitFor();
  await visit.photograph(window, 'the click');
  return window;
}

async function nothingWasGiven(visit, client) {
  visit.never((entry) => entry.setCookies.includes('__Host-iiif-p'), 'no cookie in the partition');
  assert.equal(await visit.statusFrom(client.page, client.image('reader') + FULL), 401);
  const [image] = await visit.seen(isImage('reader'), 'the image');
  assert.deepEqual(image.cookies, []);
}

visiting('a page that says it is another viewer gets nothing', async (visit, client, services) => {
  const window = await upToTheClick(visit, client, services, ELSEWHERE);
  assert.match(await window.locator('main').innerText(), /elsewhere\.example/, 'the user reads who will get the login');
  // The frame is there when the code comes, and does not take it for a page that lies.
  const answer = client.token(services.token, { query: `messageId=1&origin=${ELSEWHERE}`, timeout: 4_000 });
  await visit.seen(isToken, 'the token request');
  await goOnWithoutTaker(visit, window);
  assert.equal(await answer, null, 'no message arrives');
  visit.never(isRedeem, 'the code is not even redeemed');
  await nothingWasGiven(visit, client);
  visit.forgive(/postMessage.*does not match the recipient window/);
});

visiting('a login for one viewer is redeemed by no other', async (visit, client, services) => {
  const window = await upToTheClick(visit, client, services, ELSEWHERE);
  const answer = client.token(services.token);
  await visit.seen(isToken, 'the token request');
  await goOn(visit, window);
  const [redeem] = await visit.seen(isRedeem, 'an attempt to redeem the code');
  assert.deepEqual(redeem.setCookies, []);
  assert.equal((await answer).data.profile, 'invalidOrigin');
  await nothingWasGiven(visit, client);
});

visiting('a helper that the viewer opened itself sends no form', async (visit, client, services) => {
  const site = new URL(client.page.url()).origin;
  const popup = (page, url) => visit.windowFrom(page, () => page.evaluate((url) => void window.open(url), url));
  const tab = await popup(client.page, `${site}/client/`);
  // It stays on the viewer's site until the tab is where it should be.
  const helper = await popup(tab, `${site}/client/`);
  // By the page itself: the address bar would cut it off from its windows.
  await tab.evaluate((url) => void (location.href = url), `${services.access.id}?origin=${site}`);
  await tab.locator('input[name=username]').fill('reader');
  await tab.locator('input[name=password]').fill('reader');
  await withoutHelper(tab);
  await submit(tab);
  await tab.locator('form[data-clicked]').waitFor();
  for (const hash of ['', '#', '#null', '#undefined']) {
    const again = helper.isClosed() ? await popup(tab, `${stage.library}/auth/hand-off${hash}`) : helper;
    const closed = visit.closed(again);
    if (again === helper) await helper.evaluate((url) => void (location.href = url), `${stage.library}/auth/hand-off${hash}`);
    await closed;
    assert.ok(await tab.locator('form[data-clicked]').isVisible(), `${hash}: the page still asks for the click`);
  }
  await nothingWasGiven(visit, client);
});

visiting('a viewer cut off by its opener policy is told', async (visit, client, services) => {
  const window = await upToTheClick(visit, client, services, new URL(client.page.url()).origin);
  await goOnWithoutTaker(visit, window);
  const asked = Date.now();
  const answer = await client.token(services.token);
  assert.equal(answer.data.profile, 'missingAspect');
  assert.match(JSON.stringify([answer.data.heading, answer.data.note]), /cookie/i);
  assert.ok(Date.now() - asked < 3_000, `it took ${Date.now() - asked} ms (TC-08)`);
  await nothingWasGiven(visit, client);
}, '/client/cut-off/');

/** The click where the helper window finds nobody; it may be gone before it is seen. */
async function goOnWithoutTaker(visit, window) {
  await window.locator('form[data-hand-off] button').click();
  await visit.closed(window);
}
