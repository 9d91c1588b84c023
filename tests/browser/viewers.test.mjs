// Published IIIF viewers, on a site of their own, against the quickstart: what a reader sees from
// the locked picture to the log-out.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { logIn, submit } from './harness/access-window.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isAccess, isImage, isInfo, isProbe, isToken } from './harness/traffic.mjs';
import { chosenViewers, filesOf } from './harness/viewers/index.mjs';
import { sleep } from './harness/wait.mjs';

const viewers = chosenViewers();
let stage;

before(async () => { stage = await setStage({ files: await filesOf(viewers) }); });
after(() => stage?.strike());

for (const viewer of viewers) {
  const showing = (id) => `${stage.viewers}${viewer.path(`${stage.library}/manifests/${id}.json`)}`;

  describe(viewer.name, () => {
    test('an open picture needs no login', () =>
      stage.visit(`${viewer.name} open`, { noise: viewer.noise }, async (visit) => {
        const page = await visit.open(showing('open'));
        await visit.step('shown', page, async () => {
          await visit.seen(both(isImage('open'), granted), 'a tile with status 200');
          await visit.assertPicture(viewer.picture(page));
          assert.equal(await viewer.loginButton(page).count(), 0, 'no login is offered');
          visit.never(isAccess, 'no access service is opened');
          visit.never(isToken, 'no token is asked for');
        });
      }));

    test('a reader logs in, sees the picture, logs out', () =>
      stage.visit(`${viewer.name} reader`, { noise: viewer.noise }, async (visit) => {
        const page = await visit.open(showing('reader'));

        await visit.step('locked', page, async () => {
          await viewer.loginButton(page).waitFor();
          await visit.seen(both(isInfo('reader'), granted), 'info.json with status 200');
          await sleep(1_000); // for the tiles that must not come
          visit.never(both(isImage('reader'), granted), 'no image comes with status 200 before the login');
          await visit.assertBlank(viewer.picture(page));
        });

        const beforeLogin = visit.traffic.mark();
        await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');

        await visit.step('token', page, async () => {
          const [token] = await visit.seen(isToken, 'a token request', { since: beforeLogin });
          assert.equal(token.status, 200);
          assert.equal(token.dest, 'iframe');
          assert.equal(token.site, 'cross-site', 'the viewer is on another site');
          assert.ok(token.cookies.length > 0, 'the access cookie travels into the iframe');
          // That the message arrived shows in the viewer: it offers the log-out only with a token.
          await viewer.logoutButton(page).waitFor();
        });

        await visit.step('description or probe', null, async () => {
          if (viewer.probesImages) {
            await visit.seen(both(isProbe('reader'), (entry) => entry.bearer), 'a probe with the token', { since: beforeLogin });
          } else {
            const readable = (entry) => [200, 304].includes(entry.status);
            await visit.seen(both(isInfo('reader'), readable), 'info.json asked for again', { since: beforeLogin });
            visit.never(isProbe('reader'), 'this viewer is known not to probe images');
          }
        });

        let tile;
        await visit.step('picture', page, async () => {
          await viewer.nudge(page);
          [tile] = await visit.seen(both(isImage('reader'), granted), 'a tile with status 200', { nudge: () => viewer.nudge(page), since: beforeLogin });
          await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
        });

        await visit.step('logged out', page, async () => {
          assert.equal(await visit.statusFrom(page, tile.url), 200, 'the tile, while logged in');
          const window = await visit.windowFrom(page, () => viewer.logoutButton(page).click());
          await visit.closed(window);
          assert.equal(await visit.statusFrom(page, tile.url), 401, 'the tile, after the log-out');
          await viewer.loginButton(page).waitFor();
        });
      }));

    test('terms are agreed to, the picture appears', () =>
      stage.visit(`${viewer.name} terms`, { noise: viewer.noise }, async (visit) => {
        const page = await visit.open(showing('terms'));
        const window = await visit.step('asked', null, async () => {
          await viewer.loginButton(page).waitFor();
          return visit.windowFrom(page, () => viewer.loginButton(page).click());
        });
        await visit.step('the terms', window, () => window.locator('form').waitFor());
        await visit.step('picture', page, async () => {
          await submit(window);
          await visit.closed(window);
          await viewer.logoutButton(page).waitFor();
          await viewer.nudge(page);
          await visit.seen(both(isImage('terms'), granted), 'a tile with status 200', { nudge: () => viewer.nudge(page) });
          await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
        });
      }));

    test('a reader is refused a picture for curators', () =>
      stage.visit(`${viewer.name} curator`, { noise: viewer.noise }, async (visit) => {
        const page = await visit.open(showing('curator'));
        await viewer.loginButton(page).waitFor();
        await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
        await visit.step('refused', page, async () => {
          await viewer.logoutButton(page).waitFor();
          await viewer.nudge(page);
          await viewer.refused(visit, page, 'curator');
          visit.never(both(isImage('curator'), granted), 'no image comes with status 200');
          await visit.assertBlank(viewer.picture(page));
        });
      }));

    test('a window closed without a login, then a second try', () =>
      stage.visit(`${viewer.name} closed`, { noise: viewer.noise }, async (visit) => {
        const page = await visit.open(showing('reader'));
        await viewer.loginButton(page).waitFor();
        const window = await visit.windowFrom(page, () => viewer.loginButton(page).click());
        await visit.step('told', page, async () => {
          await window.locator('input[name=username]').waitFor();
          await window.close();
          await viewer.loginFailed(visit, page);
          visit.never(both(isImage('reader'), granted), 'no image comes with status 200');
        });
        await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
        await visit.step('logged in', page, () => viewer.logoutButton(page).waitFor());
      }));

    test('third-party cookies blocked: nothing hangs', () =>
      stage.visit(`${viewer.name} blocked`, { noise: viewer.noise, thirdPartyCookies: 'block' }, async (visit) => {
        const page = await visit.open(showing('reader'));
        await viewer.loginButton(page).waitFor();
        await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
        await visit.step('told', page, async () => {
          await viewer.loginFailed(visit, page);
          const [token] = await visit.seen(isToken, 'a token request');
          assert.deepEqual(token.cookies, [], 'the browser kept the cookie back');
          const told = await visit.toldOfNoLogin(page);
          assert.ok(told.time - token.time < 1_000, `the viewer is told after ${told.time - token.time} ms (TC-08)`);
        });
      }));

    test('all pictures in one manifest', () =>
      stage.visit(`${viewer.name} all`, { noise: viewer.noise }, async (visit) => {
        const page = await visit.open(showing('all'));
        await visit.step('shown', page, async () => {
          await visit.seen(both((entry) => entry.path.endsWith('/info.json'), granted), 'info.json of the first picture');
          await viewer.picture(page).waitFor();
        });
      }));
  });
}
