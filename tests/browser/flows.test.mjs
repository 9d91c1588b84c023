// Logins whose memory others take away: a page of another site that cancels in the user's name, and a
// sibling host whose cookies push ours out of the jar. Nobody but the viewer that opened the tab gets
// a token.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { submit } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { setStage, VIEWER_SITE } from './harness/stage.mjs';
import { serveFiles } from './harness/static-files.mjs';

const EVIL = 'evil.hostile.test';
const SIBLING = 'app.library.test';
const FLOW = '__Host-iiif-flow';
const PICTURE = '/full/400,/0/default.jpg';

/** Sets more cookies for the whole domain than Chromium keeps for one. */
function crowd(request, response) {
  const cookies = Array.from({ length: 200 }, (_, number) => `crowd${number}=1; Domain=library.test; Path=/; Secure`);
  response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': cookies }).end('<!doctype html><title>crowd</title>');
}

let stage;
before(async () => {
  const files = await clientFiles();
  stage = await setStage({ files, others: { [EVIL]: serveFiles(files), [SIBLING]: crowd } });
});
after(() => stage?.strike());

const visiting = (name, body) =>
  test(name, () =>
    stage.visit(`flows ${name}`, { thirdPartyCookies: 'allow', noise: [/favicon/] }, async (visit) => {
      const viewer = await openClient(visit);
      await body(visit, viewer, await viewer.services('reader'));
    }));

/** The viewer opens the access service in a tab. */
const openAccess = (visit, viewer, services) =>
  visit.windowFrom(viewer.page, () => viewer.open(`${services.access.id}?origin=${stage.viewers}`));

async function fillIn(window) {
  await window.locator('input[name=username]').fill('reader');
  await window.locator('input[name=password]').fill('reader');
  await submit(window);
}

const hasFlow = async (visit) => (await visit.context.cookies(stage.library)).some(({ name }) => name === FLOW);

/** A tab of the other site's, which does to the access service what any page may. */
async function evilOpens(visit, services) {
  const page = await visit.context.newPage();
  await page.goto(`${stage.others[EVIL]}/client/`);
  await page.evaluate((url) => { location.href = url; }, `${services.access.id}?origin=${stage.others[EVIL]}`);
  await page.waitForURL(`${stage.library}/**`);
  await page.locator('input[name=username]').waitFor();
}

async function evilCancels(visit, services) {
  const page = await visit.context.newPage();
  await page.goto(`${stage.others[EVIL]}/client/`);
  const mark = visit.traffic.mark();
  await page.evaluate((url) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: url });
    form.innerHTML = '<input type="hidden" name="action" value="cancel">';
    document.body.append(form);
    form.submit();
  }, services.access.id);
  const isIt = (entry) => entry.method === 'POST' && entry.site === 'cross-site';
  const [entry] = await visit.seen(isIt, 'the form of the other site', { since: mark });
  assert.ok(entry.cookies.includes(FLOW), 'the victim\'s flow came along');
  assert.deepEqual(entry.setCookies, [], 'nothing of it is changed');
}

async function siblingCrowds(visit) {
  assert.ok(await hasFlow(visit), 'there is a flow to be lost');
  const page = await visit.context.newPage();
  await page.goto(`${stage.others[SIBLING]}/`);
  assert.ok(!(await hasFlow(visit)), 'the flow was pushed out of the jar');
}

/** Who gets a token now; the user is in all the same. */
async function assertTokens(visit, viewer, services, { own }) {
  const evil = await openClient(visit, '/client/', stage.others[EVIL]);
  const stolen = await evil.token(services.token);
  assert.equal(stolen.data.accessToken, undefined, 'the other site gets no token');
  assert.equal(stolen.data.profile, 'invalidOrigin');
  const token = await viewer.token(services.token);
  assert.equal(token.data.profile ?? token.data.type, own ? 'AuthAccessToken2' : 'invalidOrigin');
  assert.equal(await viewer.show(viewer.image('reader') + PICTURE), true, 'the user is in');
}

const button = (window, name) => window.getByRole('button', { name });

for (const opens of [false, true]) {
  visiting(`LF-01: another site cancels${opens ? ', and waits itself' : ''}`, async (visit, viewer, services) => {
    const window = await openAccess(visit, viewer, services);
    await window.locator('input[name=username]').waitFor();
    if (opens) await evilOpens(visit, services);
    await visit.step('cancelled by the other site', null, () => evilCancels(visit, services));
    await visit.step('login', null, async () => {
      await fillIn(window);
      await visit.closed(window);
    });
    await assertTokens(visit, viewer, services, { own: true });
  });
}

visiting('LF-02: a sibling host pushes the flow out of the jar', async (visit, viewer, services) => {
  const window = await openAccess(visit, viewer, services);
  await window.locator('input[name=username]').waitFor();
  await visit.step('crowded out', null, () => siblingCrowds(visit));
  await visit.step('asked', window, async () => {
    await fillIn(window);
    await button(window, `Continue to ${new URL(stage.viewers).host}`).waitFor();
    assert.match(await window.locator('main').innerText(), new RegExp(VIEWER_SITE.replaceAll('.', '\\.')));
  });
  await visit.step('click', null, async () => {
    await window.locator('form button').click();
    await visit.closed(window);
  });
  await assertTokens(visit, viewer, services, { own: true });
});

visiting('LF-02: and another site opens the login meanwhile', async (visit, viewer, services) => {
  const window = await openAccess(visit, viewer, services);
  await window.locator('input[name=username]').waitFor();
  await visit.step('crowded out', null, () => siblingCrowds(visit));
  await evilOpens(visit, services);
  await visit.step('login', null, async () => {
    await fillIn(window);
    await visit.closed(window);
  });
  await assertTokens(visit, viewer, services, { own: true });
});

visiting('LF-02: a login that no viewer opened is for none, and one click lets a viewer in', async (visit, viewer, services) => {
  const menu = await visit.context.newPage();
  await visit.step('login', menu, async () => {
    await menu.goto(services.access.id);
    await fillIn(menu);
    await menu.locator('#close').waitFor();
  });
  await assertTokens(visit, viewer, services, { own: false });
  await viewer.page.bringToFront();
  const window = await openAccess(visit, viewer, services);
  await visit.step('one click', null, async () => {
    await button(window, 'Continue with this account').click();
    await visit.closed(window);
  });
  await assertTokens(visit, viewer, services, { own: true });
});

visiting('LF-04: a page that waits does not get the login of the site\'s own menu', async (visit, viewer, services) => {
  await evilOpens(visit, services);
  const menu = await visit.context.newPage();
  await menu.goto(services.access.id);
  await visit.step('asked', menu, async () => {
    await fillIn(menu);
    await button(menu, `Continue to ${new URL(stage.others[EVIL]).host}`).waitFor();
  });
  await visit.step('click', null, async () => {
    await button(menu, 'I came from none of these').click();
    await menu.locator('#close').waitFor();
  });
  await assertTokens(visit, viewer, services, { own: false });
});
