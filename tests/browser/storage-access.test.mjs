// Published viewers in a browser that blocks third-party cookies and holds the user's permission to
// use this publisher's in this viewer. The hand-off is off: Storage Access Headers do the work.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { logIn } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage, isToken, offersRetry } from './harness/traffic.mjs';
import { chosenBlockedViewers, filesOf } from './harness/viewers/index.mjs';

const PARTITIONED = '__Host-iiif-p';
const renewed = (entry) => entry.setCookies.includes(PARTITIONED);

const viewers = chosenBlockedViewers();
let stage;

before(async () => {
  stage = await setStage({ files: new Map([...(await filesOf(viewers)), ...(await clientFiles())]) });
});
after(() => stage?.strike());

/** As if the user had answered the browser's question. */
async function permit(visit, setting = 'granted') {
  const [page] = visit.context.pages();
  const session = await visit.context.newCDPSession(page);
  await session.send('Browser.setPermission', {
    permission: { name: 'storage-access' },
    setting,
    origin: stage.viewers,
    embeddedOrigin: stage.library,
  });
}

/** Click the viewer's way to the login, folded or not: after a logout it draws its bar more than once. */
async function openLogin(viewer, page) {
  if (!(await viewer.loginButton(page).isVisible())) await viewer.unfold?.(page);
  await viewer.loginButton(page).click();
}

for (const viewer of viewers) {
  const base = viewer.bases?.[0] ?? '3';
  const manifests = base === '3' ? '/manifests' : `/manifests/${base}`;

  describe(`${viewer.name} with /iiif/${base}, with the user's permission`, () => {
    test('a reader logs in, sees the picture, logs out', (context) =>
      stage.visit(`storage access ${viewer.name} ${base}`, { noise: viewer.noise, thirdPartyCookies: 'block' }, async (visit) => {
        await permit(visit);
        const page = await visit.open(`${stage.viewers}${viewer.path(`${stage.library}${manifests}/reader.json`)}`);
        await viewer.unfold?.(page);
        await viewer.loginButton(page).waitFor();
        await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');

        const [companion] = await visit.step('token', page, async () => {
          const [first, second] = await visit.seen(isToken, 'the token request twice', { count: 2 });
          assert.equal(first.storageAccess, 'inactive');
          assert.deepEqual(first.cookies, []);
          assert.deepEqual(first.setCookies, [], 'TC-04');
          assert.ok(offersRetry(first), 'TC-03');
          assert.equal(second.storageAccess, 'active');
          assert.equal(second.url, first.url);
          assert.equal(second.headers['activate-storage-access'], 'load', 'TC-03');
          assert.deepEqual(second.setCookies, [PARTITIONED]);
          return [second];
        });

        let tile;
        await visit.step('picture', page, async () => {
          await viewer.logoutButton(page).waitFor();
          await viewer.nudge(page);
          [tile] = await visit.seen(both(isImage('reader', base), granted), 'a tile with status 200', { nudge: () => viewer.nudge(page) });
          await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
        });
        await visit.step('no double trips', null, async () => {
          const isLater = (entry) => entry.time >= companion.time && entry !== companion;
          const tiles = visit.traffic.since(visit.start, both(isLater, isImage('reader', base)));
          assert.ok(tiles.length > 0);
          assert.ok(tiles.every((entry) => entry.cookies.includes(PARTITIONED)), 'every tile carries the companion');
          visit.never(both(isLater, offersRetry), 'TC-05: no tile is asked for twice');
          visit.never(both(isLater, isImage('reader', base), (entry) => entry.storageAccess === 'active'), 'none comes again');
          context.diagnostic(`${tiles.length} tiles, no double trip`);
        });
        await visit.step('logged out', page, async () => {
          const window = await visit.windowFrom(page, () => viewer.logoutButton(page).click());
          await visit.closed(window);
          assert.equal(await visit.statusFrom(page, tile.url), 401, 'the tile, after the log-out');
        });

        // The cookie in the partition is still there, and dead, until the token page brings its successor.
        const mark = visit.traffic.mark();
        await logIn(visit, page, () => openLogin(viewer, page), 'reader', 'reader');
        await visit.step('logged in again', page, async () => {
          await visit.seen(both(isToken, renewed), 'the token page with a new cookie', { since: mark });
          await viewer.logoutButton(page).waitFor();
          assert.equal(await visit.statusFrom(page, tile.url), 200, 'the tile');
        });
      }));
  });
}

for (const [setting, expected] of [['granted', true], ['denied', false]]) {
  test(`the grant page tells its viewer: ${setting}`, () =>
    stage.visit(`grant page ${setting}`, { thirdPartyCookies: 'block' }, async (visit) => {
      await permit(visit, setting);
      const { page } = await openClient(visit);
      await page.evaluate((url) => {
        window.told = new Promise((resolve) => {
          window.addEventListener('message', ({ data, origin }) => resolve({ data, origin }));
        });
        const frame = document.createElement('iframe');
        frame.src = url;
        document.body.prepend(frame);
      }, `${stage.library}/auth/grant?origin=${stage.viewers}`);
      await page.frameLocator('iframe').locator('#grant').click();
      await visit.photograph(page, 'the grant page');
      assert.deepEqual(await page.evaluate(() => window.told), { data: { granted: expected }, origin: stage.library });
      visit.forgive(/requestStorageAccess: Permission denied/);
    }));
}
