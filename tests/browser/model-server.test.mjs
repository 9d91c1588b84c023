// Published viewers against the checker's model server (`iiif-auth-check serve`): its page says what a
// right viewer does with each item, and these do it, as far as they know the pattern.
//
// Without `confirmLabel` in 2.0: as a language map, which it has to be, it crashes Columbia's Mirador.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { submit } from './harness/access-window.mjs';
import { modelServer } from './harness/model-server.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage } from './harness/traffic.mjs';
import { currentViewer, filesOf, olderViewer } from './harness/viewers/index.mjs';
import { until } from './harness/wait.mjs';

const kinds = [
  { viewer: currentViewer('columbia-mirador'), folder: 'manifest', base: '3', site: 'viewers' },
  { viewer: currentViewer('canvas-panel'), folder: 'manifest', base: '3', site: 'viewers' },
  { viewer: olderViewer('mirador'), folder: 'manifest-1', base: '2', site: 'viewers' },
  { viewer: olderViewer('universal-viewer'), folder: 'manifest-1', base: '2', site: 'library' },
];
const on = (site) => kinds.filter((kind) => kind.site === site).map((kind) => kind.viewer);
let stage;

before(async () => {
  stage = await setStage({
    files: await filesOf(on('viewers')),
    libraryFiles: await filesOf(on('library')),
    start: modelServer('no-confirm-label'),
  });
});
after(() => stage?.strike());

/** Fill in what the window asks for, and press its button; whichever window is there in the end. */
async function enter(visit, page) {
  await until(async () => {
    const window = visit.context.pages().filter((other) => other !== page && !other.isClosed()).at(-1);
    if (!window) return false;
    try {
      await window.locator('form button').waitFor({ timeout: 2_000 });
      if (await window.locator('input[name=user]').isVisible()) {
        await window.locator('input[name=user]').fill('reader');
        await window.locator('input[name=password]').fill('reader');
      }
      await submit(window);
      return true;
    } catch (error) {
      if (window.isClosed()) return false;
      throw error;
    }
  }, 'a window of the access service with a button');
}

for (const { viewer, folder, base, site } of kinds) {
  const visiting = (name, item, body) =>
    test(name, () =>
      stage.visit(
        `model ${viewer.name} ${item}`,
        { noise: viewer.noise, thirdPartyCookies: site === 'viewers' ? 'allow' : 'block' },
        async (visit) => {
          const manifest = `${stage.library}/${folder}/${item}.json`;
          await body(visit, await visit.open(stage[site] + viewer.path(manifest)));
        },
      ));
  const tile = (item) => both(isImage(item, base), granted);

  describe(`${viewer.name} at the model server`, () => {
    visiting('open: shows it and asks nothing', 'open', async (visit, page) => {
      await visit.seen(tile('open'), 'a tile with status 200');
      assert.equal(await viewer.loginButton(page).count(), 0, 'no login is offered');
      visit.never((entry) => entry.path.startsWith('/token/'), 'no token is asked for');
    });

    visiting('login: offers it, and shows the picture when the tab is closed', 'login', async (visit, page) => {
      await visit.step('login', page, async () => {
        await viewer.unfold?.(page);
        await viewer.loginButton(page).waitFor();
        visit.never(tile('login'), 'no picture before the login');
        await visit.windowFrom(page, () => viewer.loginButton(page).click());
        await enter(visit, page);
      });
      await visit.step('picture', page, () =>
        visit.seen(tile('login'), 'a tile with status 200', { nudge: () => viewer.nudge(page) }));
    });
  });
}

describe('what 2.0 has, and 1.0 has not', () => {
  const { viewer } = kinds[1];
  const open = (visit, item) =>
    visit.open(stage.viewers + viewer.path(`${stage.library}/manifest/${item}.json`));

  test('terms: a tab with a button', () =>
    stage.visit('model terms', { noise: viewer.noise, thirdPartyCookies: 'allow' }, async (visit) => {
      const page = await open(visit, 'terms');
      await viewer.loginButton(page).waitFor();
      await visit.windowFrom(page, () => viewer.loginButton(page).click());
      await enter(visit, page);
      await visit.seen(both(isImage('terms'), granted), 'a tile with status 200');
    }));

  test('external: the token is asked for at once, and then there is no picture', () =>
    stage.visit('model external', { noise: viewer.noise, thirdPartyCookies: 'allow' }, async (visit) => {
      const page = await open(visit, 'external');
      await visit.seen((entry) => entry.path === '/token/2/external', 'a token request');
      assert.equal(await viewer.loginButton(page).count(), 0, 'no login is offered');
      visit.never(both(isImage('external'), granted), 'no picture');
    }));

  test('forbidden: the login is good, and the picture is not for this user', () =>
    stage.visit('model forbidden', { noise: viewer.noise, thirdPartyCookies: 'allow' }, async (visit) => {
      const page = await open(visit, 'forbidden');
      await viewer.loginButton(page).waitFor();
      await visit.windowFrom(page, () => viewer.loginButton(page).click());
      await enter(visit, page);
      await viewer.refused(visit, page, 'forbidden');
      visit.never(both(isImage('forbidden'), granted), 'no picture');
    }));
});
