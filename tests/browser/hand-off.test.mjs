// Published viewers with the hand-off, where the browser blocks third-party cookies: the login goes
// from its window into the viewer's page. Nothing about the viewers is changed for it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { goOn, logInUpToTheClick } from './harness/access-window.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage, isRedeem, isToken } from './harness/traffic.mjs';
import { chosenBlockedViewers, currentViewer, filesOf } from './harness/viewers/index.mjs';

const PARTITIONED = '__Host-iiif-p';

const viewers = chosenBlockedViewers();
const canvasPanel = currentViewer('canvas-panel');
let stage;

before(async () => { stage = await setStage({ files: await filesOf([...viewers, canvasPanel]), handOff: true }); });
after(() => stage?.strike());

for (const { viewer, base, manifests } of viewers.map(withBase)) {
  const visiting = (name, body, options = {}) =>
    test(name, (context) =>
      stage.visit(
        `hand-off ${viewer.name} ${base} ${name}`,
        { noise: viewer.noise, thirdPartyCookies: 'block', ...options },
        async (visit) => {
          const page = await visit.open(`${stage.viewers}${viewer.path(`${stage.library}${manifests}/reader.json`)}`);
          await viewer.unfold?.(page);
          await viewer.loginButton(page).waitFor();
          await body(visit, page, context);
        },
      ));

  describe(`${viewer.name} with /iiif/${base}`, () => {
    visiting('a reader logs in, sees the picture, logs out', async (visit, page, context) => {
      const window = await logInUpToTheClick(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
      await visit.step('the click', window, async () => {
        const named = await window.locator('main').innerText();
        assert.ok(named.includes(new URL(stage.viewers).host), `the page names the viewer: ${named}`);
        visit.never(isToken, 'no token is asked for before the click');
      });
      const clicked = Date.now();
      await goOn(visit, window);

      await visit.step('token', page, async () => {
        const [token] = await visit.seen(isToken, 'a token request');
        assert.equal(token.dest, 'iframe');
        assert.deepEqual(token.cookies, [], 'the browser kept the cookie back');
        const [redeem] = await visit.seen(isRedeem, 'the code to be redeemed');
        assert.equal(redeem.status, 200);
        assert.deepEqual(redeem.setCookies, [PARTITIONED]);
        assert.ok(redeem.time - token.time < 3_000, `it came after ${redeem.time - token.time} ms (TC-08)`);
        context.diagnostic(`code ${redeem.time - token.time} ms after the token request, ${redeem.time - clicked} ms after the click`);
      });

      let tile;
      await visit.step('picture', page, async () => {
        await viewer.logoutButton(page).waitFor();
        await viewer.nudge(page);
        [tile] = await visit.seen(both(isImage('reader', base), granted), 'a tile with status 200', { nudge: () => viewer.nudge(page) });
        assert.deepEqual(tile.cookies, [PARTITIONED], 'the tile carries the cookie of the partition and no other');
        assert.equal(tile.dest, 'image');
        await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
      });

      await visit.step('logged out', page, async () => {
        assert.equal(await visit.statusFrom(page, tile.url), 200, 'the tile, while logged in');
        const window = await visit.windowFrom(page, () => viewer.logoutButton(page).click());
        await visit.closed(window);
        assert.equal(await visit.statusFrom(page, tile.url), 401, 'the tile, after the log-out');
      });

      // The cookie in the partition is still there, and dead.
      const mark = visit.traffic.mark();
      await viewer.unfold?.(page);
      await goOn(visit, await logInUpToTheClick(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader'));
      await visit.step('logged in again', page, async () => {
        await visit.seen(isRedeem, 'the code to be redeemed', { since: mark });
        await viewer.logoutButton(page).waitFor();
        assert.equal(await visit.statusFrom(page, tile.url), 200, 'the tile');
      });
    });

    visiting('where cookies are allowed the small window does not stay', async (visit, page, context) => {
      const window = await logInUpToTheClick(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
      const clicked = Date.now();
      await goOn(visit, window);
      const took = Date.now() - clicked;
      await viewer.logoutButton(page).waitFor();
      visit.never(isRedeem, 'no code is needed');
      assert.ok(took < 4_000, `it stayed for ${took} ms`);
      context.diagnostic(`both windows were gone ${took} ms after the click`);
    }, { thirdPartyCookies: 'allow' });

    visiting('a window closed without a login: the viewer is told within 3 s (TC-08)', async (visit, page, context) => {
      const window = await visit.windowFrom(page, () => viewer.loginButton(page).click());
      await window.locator('input[name=username]').waitFor();
      await window.close();
      const [token] = await visit.seen(isToken, 'a token request');
      const told = await visit.toldOfNoLogin(page);
      assert.ok(told.time - token.time < 3_000, `it took ${told.time - token.time} ms`);
      context.diagnostic(`told ${told.time - token.time} ms after the token request`);
      await viewer.loginFailed(visit, page);
      visit.never(both(isImage('reader', base), granted), 'no image comes with status 200');
    });
  });
}

test('terms: the click that agrees hands them off', () =>
  stage.visit('hand-off terms', { noise: canvasPanel.noise, thirdPartyCookies: 'block' }, async (visit) => {
    const page = await visit.open(`${stage.viewers}${canvasPanel.path(`${stage.library}/manifests/terms.json`)}`);
    await canvasPanel.loginButton(page).waitFor();
    const window = await visit.windowFrom(page, () => canvasPanel.loginButton(page).click());
    await goOn(visit, window);
    await visit.step('picture', page, async () => {
      const [tile] = await visit.seen(both(isImage('terms'), granted), 'a tile with status 200');
      assert.deepEqual(tile.cookies, ['__Host-iiif-terms-p']);
      await visit.assertPicture(canvasPanel.picture(page));
    });
  }));

test('an account that is there goes on without a password and without a code', () =>
  stage.visit('hand-off again', { noise: canvasPanel.noise, thirdPartyCookies: 'block' }, async (visit) => {
    const showing = (id) => `${stage.viewers}${canvasPanel.path(`${stage.library}/manifests/${id}.json`)}`;
    const page = await visit.open(showing('reader'));
    const login = () => canvasPanel.loginButton(page).click();
    await goOn(visit, await logInUpToTheClick(visit, page, login, 'reader', 'reader'));
    await canvasPanel.logoutButton(page).waitFor();
    // The viewer forgets its token, and the partition's cookie gives it another one.
    await page.goto(showing('reader'));
    const mark = visit.traffic.mark();
    const window = await visit.windowFrom(page, login);
    const helper = await visit.windowFrom(window, () => window.locator('button[value=continue]').first().click());
    await Promise.all([visit.closed(window), visit.closed(helper)]);
    await visit.step('token', page, async () => {
      const [token] = await visit.seen(isToken, 'a token request', { since: mark });
      assert.deepEqual(token.cookies, [PARTITIONED]);
      await canvasPanel.logoutButton(page).waitFor();
      visit.never(isRedeem, 'no code is needed', mark);
    });
  }));

function withBase(viewer) {
  const base = viewer.bases?.[0] ?? '3';
  return { viewer, base, manifests: base === '3' ? '/manifests' : `/manifests/${base}` };
}
