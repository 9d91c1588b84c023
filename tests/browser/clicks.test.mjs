// The login form's own click opens the small window of the hand-off: what a person clicks, and what becomes of
// that window when the login goes wrong.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { submit } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { setStage } from './harness/stage.mjs';
import { isRedeem } from './harness/traffic.mjs';
import { sleep } from './harness/wait.mjs';

const FULL = '/full/400,/0/default.jpg';
const HELPER = '/auth/hand-off';

let stage;
before(async () => { stage = await setStage({ files: await clientFiles(), handOff: true }); });
after(() => stage?.strike());

const visiting = (name, thirdPartyCookies, body) =>
  test(name, (context) => stage.visit(`clicks ${name}`, { thirdPartyCookies, noise: [/status of 403 .*\/auth\/login/] }, async (visit) => {
    const client = await openClient(visit);
    await body(visit, client, await client.services('reader'), context);
  }));

const isHelper = (entry) => entry.path === HELPER && entry.dest === 'document';

async function form(visit, client, services) {
  const window = await visit.windowFrom(client.page, () => client.open(`${services.access.id}?origin=${stage.viewers}`));
  await window.locator('input[name=username]').fill('reader');
  return window;
}

/** Send the form. As a viewer does, ask for the token once the window is closed; both close by themselves. */
async function sent(visit, client, services, window, button = 'button[type=submit]') {
  const helper = await visit.windowFrom(window, () => window.locator(button).click());
  await visit.closed(window);
  const token = await client.token(services.token, { timeout: 20_000 });
  await visit.closed(helper);
  assert.equal(token?.data.type, 'AuthAccessToken2', JSON.stringify(token?.data));
}

for (const [name, cookies, redeemed] of [['cookies allowed', 'allow', 0], ['cookies blocked', 'block', 1]]) {
  visiting(`two clicks, ${name}`, cookies, async (visit, client, services, context) => {
    const window = await form(visit, client, services);
    assert.match(await window.locator('main').innerText(), /viewer\.example/, 'the page names the viewer');
    await window.locator('input[name=password]').fill('reader');
    const clicked = Date.now();
    await sent(visit, client, services, window);
    const took = Date.now() - clicked;
    context.diagnostic(`token, and both windows gone, after ${took} ms`);
    assert.ok(took < 4_000, `it took ${took} ms`);
    assert.equal(visit.traffic.since(visit.start, isRedeem).length, redeemed, 'codes');
    assert.equal(await client.show(client.image('reader') + FULL), true);
  });
}

visiting('a wrong password', 'block', async (visit, client, services) => {
  const window = await form(visit, client, services);
  await window.locator('input[name=password]').fill('wrong');
  await visit.step('refused', window, async () => {
    const helper = await visit.windowFrom(window, () => submit(window));
    await visit.closed(helper);
    await window.locator('[role=alert]').waitFor();
    assert.equal(window.isClosed(), false, 'the form is there again');
  });
  await window.locator('input[name=username]').fill('reader');
  await window.locator('input[name=password]').fill('reader');
  const mark = visit.traffic.mark();
  await visit.step('right', client.page, async () => {
    await sent(visit, client, services, window);
    await visit.seen(isRedeem, 'the code to be redeemed', { since: mark });
    assert.equal(await client.show(client.image('reader') + FULL), true);
  });
});

visiting('cancelled', 'block', async (visit, client, services) => {
  const window = await form(visit, client, services);
  await window.locator('button[value=cancel]').click();
  await visit.closed(window);
  await sleep(500);
  visit.never(isHelper, 'no small window is opened');
});

// Without the small window, as where a browser opens none, the page that asks for the click is there as ever.
visiting('no window may be opened', 'block', async (visit, client, services) => {
  const window = await form(visit, client, services);
  await window.locator('input[name=password]').fill('reader');
  await window.evaluate(() => { window.open = () => null; });
  await submit(window);
  await window.locator('form[data-clicked] button').waitFor();
  await sleep(1_000);
  assert.equal(window.isClosed(), false, 'nothing is sent without a click');
  visit.never((entry) => entry.setCookies.includes('__Host-iiif'), 'no cookie yet');
  await sent(visit, client, services, window, 'form[data-clicked] button');
});
