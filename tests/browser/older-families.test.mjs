// Published viewers that speak Authentication 1.0 and 0.9 only, against the same quickstart: what a
// reader sees from the locked picture to the log-out, and one session for viewers of all ages.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { logIn } from './harness/access-window.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isAccess, isImage, isInfo, isToken } from './harness/traffic.mjs';
import { chosenOlderViewers, filesOf } from './harness/viewers/index.mjs';
import { sleep } from './harness/wait.mjs';

const viewers = chosenOlderViewers();
const on = (site) => viewers.filter((viewer) => viewer.site === site);
let stage;

before(async () => {
  stage = await setStage({ files: await filesOf(on('viewers')), libraryFiles: await filesOf(on('library')) });
});
after(() => stage?.strike());

const refused = (entry) => entry.status === 401;

for (const viewer of viewers) {
  for (const base of viewer.bases) {
    // What does not depend on the family is tested with the first base of a viewer's.
    const isFirst = base === viewer.bases[0] && viewer.name !== 'columbia-mirador';
    const crossSite = viewer.site === 'viewers';
    const isOwnInfo = (id) => isInfo(id, base);
    const isOwnImage = (id) => isImage(id, base);
    const withToken = (id) => both(isOwnInfo(id), (entry) => entry.bearer);

    /** Where nothing depends on third-party cookies, they are blocked. */
    const visiting = (name, id, body, options = {}) =>
      test(name, () =>
        stage.visit(
          `${viewer.name} ${base} ${name}`,
          { noise: viewer.noise, thirdPartyCookies: crossSite ? 'allow' : 'block', ...options },
          async (visit) => {
            const manifest = `${stage.library}/manifests/${base}/${id}.json`;
            await body(visit, await visit.open(stage[viewer.site] + viewer.path(manifest)));
          },
        ));

    const logInAs = (visit, page, user) =>
      logIn(visit, page, () => viewer.loginButton(page).click(), user, user);

    describe(`${viewer.name} with /iiif/${base}`, () => {
      if (isFirst) visiting('an open picture needs no login', 'open', async (visit, page) => {
        await visit.step('shown', page, async () => {
          await visit.seen(both(isOwnImage('open'), granted), 'a tile with status 200');
          await visit.assertPicture(viewer.picture(page));
          assert.equal(await viewer.loginButton(page).count(), 0, 'no login is offered');
          visit.never(isAccess, 'no access service is opened');
          visit.never(isToken, 'no token is asked for');
        });
      });

      visiting('a reader logs in, sees the picture, logs out', 'reader', async (visit, page) => {
        await visit.step('locked', page, async () => {
          const [info] = await visit.seen(both(isOwnInfo('reader'), refused), 'info.json with status 401');
          assert.equal(info.headers['www-authenticate'], undefined, 'no dialogue of the browser');
          await viewer.unfold(page);
          await viewer.loginButton(page).waitFor();
          await sleep(1_000); // for the tiles that must not come
          visit.never(both(isOwnImage('reader'), granted), 'no image comes with status 200 before the login');
        });

        const beforeLogin = visit.traffic.mark();
        await logInAs(visit, page, 'reader');

        await visit.step('token', page, async () => {
          const [token] = await visit.seen(isToken, 'a token request', { since: beforeLogin });
          assert.equal(token.status, 200);
          assert.equal(token.dest, 'iframe');
          assert.equal(token.site, crossSite ? 'cross-site' : 'same-origin');
          assert.ok(token.cookies.length > 0, 'the access cookie travels into the iframe');
          await visit.seen(both(withToken('reader'), granted), 'info.json for the token', { since: beforeLogin });
        });

        let tile;
        await visit.step('picture', page, async () => {
          await viewer.nudge(page);
          [tile] = await visit.seen(both(isOwnImage('reader'), granted), 'a tile with status 200', { nudge: () => viewer.nudge(page), since: beforeLogin });
          await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
        });

        if (!viewer.logoutButton) return;
        await visit.step('logged out', page, async () => {
          assert.equal(await visit.statusFrom(page, tile.url), 200, 'the tile, while logged in');
          const beforeLogout = visit.traffic.mark();
          const window = await visit.windowFrom(page, () => viewer.logoutButton(page).click());
          await visit.closed(window);
          assert.equal(await visit.statusFrom(page, tile.url), 401, 'the tile, after the log-out');
          await visit.seen(both(isOwnInfo('reader'), refused), 'info.json with status 401', { since: beforeLogout });
          await viewer.unfold(page);
        });
      });

      visiting('terms: the window closes at once (V1-ACC-4), the picture appears', 'terms', async (visit, page) => {
        await visit.step('asked', page, async () => {
          await viewer.unfold(page);
          await viewer.loginButton(page).waitFor();
        });
        await visit.step('picture', page, async () => {
          const window = await visit.windowFrom(page, () => viewer.loginButton(page).click());
          await visit.closed(window);
          await visit.seen(both(withToken('terms'), granted), 'info.json for the token');
          await viewer.nudge(page);
          await visit.seen(both(isOwnImage('terms'), granted), 'a tile with status 200', { nudge: () => viewer.nudge(page) });
          await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
        });
      });

      visiting('a reader is refused a picture for curators', 'curator', async (visit, page) => {
        await viewer.unfold(page);
        await logInAs(visit, page, 'reader');
        await visit.step('refused', page, async () => {
          await visit.seen(both(withToken('curator'), refused), 'info.json with status 401 for the token (CON-10)');
          await viewer.refused(visit, page);
          visit.never(both(isOwnImage('curator'), granted), 'no image comes with status 200');
        });
      });

      visiting('a smaller version first, all of it after a login', 'tiered', async (visit, page) => {
        await visit.step('smaller', page, async () => {
          const [redirect] = await visit.seen(both(isOwnInfo('tiered'), (entry) => entry.status === 302), 'a redirect to the lower tier');
          assert.equal(redirect.headers['access-control-allow-origin'], '*');
          await visit.seen(both(isOwnImage('tiered-small'), granted), 'a tile of the smaller one');
          await visit.assertPicture(viewer.picture(page));
          visit.never(both(isOwnImage('tiered'), granted), 'no tile of the real one');
          await viewer.unfold(page);
          await viewer.loginButton(page).waitFor();
        });
        await logInAs(visit, page, 'reader');
        await visit.step('the real one', page, async () => {
          await visit.seen(both(withToken('tiered'), granted), 'info.json of the real one');
          await viewer.comeBack(page);
          await visit.seen(both(isOwnImage('tiered'), granted), 'a tile of the real one');
          await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
        });
      });

      if (isFirst) visiting('a window closed without a login, then a second try', 'reader', async (visit, page) => {
        await viewer.unfold(page);
        const window = await visit.windowFrom(page, () => viewer.loginButton(page).click());
        await visit.step('told', page, async () => {
          await window.locator('input[name=username]').waitFor();
          await window.close();
          await viewer.loginFailed(visit, page);
          visit.never(both(isOwnImage('reader'), granted), 'no image comes with status 200');
        });
        await viewer.again(page);
        const secondTry = visit.traffic.mark();
        await logInAs(visit, page, 'reader');
        await visit.step('logged in', page, () =>
          visit.seen(both(withToken('reader'), granted), 'info.json for the token', { since: secondTry }));
      });

      if (crossSite && isFirst) {
        visiting('third-party cookies blocked: nothing hangs', 'reader', async (visit, page) => {
          await viewer.unfold(page);
          await logInAs(visit, page, 'reader');
          await visit.step('told', page, async () => {
            await viewer.loginFailed(visit, page);
            const [token] = await visit.seen(isToken, 'a token request');
            assert.deepEqual(token.cookies, [], 'the browser kept the cookie back');
            const told = await visit.toldOfNoLogin(page);
            assert.ok(told.time - token.time < 1_000, `the viewer is told after ${told.time - token.time} ms (TC-08)`);
          });
        }, { thirdPartyCookies: 'block' });
      }

      if (isFirst) visiting('all pictures in one manifest', 'all', async (visit, page) => {
        await visit.step('shown', page, async () => {
          await visit.seen(both(isOwnInfo('open'), granted), 'info.json of the first picture');
          await visit.assertPicture(viewer.picture(page));
        });
      });
    });
  }
}
