// Pages that have the browser load the logout, the login and the kiosk in case the user goes
// there. Nothing comes of it, and the page loads again when the user does go there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { submit } from './harness/access-window.mjs';
import { setStage } from './harness/stage.mjs';
import { html } from './harness/static-files.mjs';
import { both, granted, isLogout } from './harness/traffic.mjs';
import { sleep } from './harness/wait.mjs';

const COOKIE = '__Host-iiif';
const TILE = '/iiif/3/reader/full/400,/0/default.jpg';
// Speculative loads that come to nothing are complaints of the browser's own.
const NOISE = [/status of 503/, /status of 403/, /favicon\.ico/];

const rules = (kind, urls) =>
  `<script type="speculationrules">${JSON.stringify({ [kind]: [{ source: 'list', urls, eagerness: 'immediate' }] })}</script>`;
const links = (urls) => urls.map((url) => `<link rel="prefetch" href="${url}">`).join('');

/** A page for each way to load what lies at `site`; its own address is `/speculation/{way}`. */
function pages(site) {
  const urls = ['/auth/logout', '/auth/login', '/auth/login?origin=https://evil.example'].map((path) => site + path);
  const page = (head) => html(`<!doctype html><html lang="en"><head><title>Speculation</title>${head}</head><body>A page.</body></html>`);
  return new Map([
    ['/speculation/link', page(links(urls))],
    ['/speculation/prefetch', page(rules('prefetch', urls))],
    ['/speculation/prerender', page(rules('prerender', urls))],
  ]);
}

let stage;
before(async () => {
  const files = new Map();
  stage = await setStage({ files, libraryFiles: pages('') });
  // The address of the image server is known by now, and the other site names it in full.
  for (const [path, page] of pages(stage.library)) files.set(path, page);
});
after(() => stage?.strike());

/** Log in, in a tab of its own. */
async function logIn(visit) {
  const page = await visit.open(`${stage.library}/auth/login`);
  await page.locator('input[name=username]').fill('reader');
  await page.locator('input[name=password]').fill('reader');
  const gone = visit.closed(page).catch(() => {});
  await submit(page);
  await Promise.race([gone, sleep(3_000)]);
}

const hasCookie = async (visit) =>
  (await visit.context.cookies(stage.library)).some((cookie) => cookie.name === COOKIE);

for (const site of ['library', 'viewers']) {
  for (const way of ['link', 'prefetch', 'prerender']) {
    test(`a page of ${site === 'library' ? 'the same' : 'another'} site, ${way}`, (context) =>
      stage.visit(`speculation ${site} ${way}`, { noise: NOISE }, async (visit) => {
        await logIn(visit);
        assert.ok(await hasCookie(visit), 'the user is in');
        const mark = visit.traffic.mark();
        const page = await visit.step('speculation', null, () => visit.open(`${stage[site]}/speculation/${way}`));
        await sleep(3_000);
        const loads = visit.traffic.since(mark, (entry) => entry.path.startsWith('/auth/'));
        context.diagnostic(loads.map((entry) => `${entry.status} ${entry.path} ${entry.dest} ${entry.site}`).join(', ') || 'nothing was loaded');
        // From the same site browsers load all of it; from another one what they like.
        if (site === 'library') assert.ok(loads.some(isLogout), 'the logout was loaded');
        for (const load of loads) {
          assert.ok([403, 503].includes(load.status), `${load.status} ${load.path}`);
          assert.deepEqual(load.setCookies, [], load.path);
        }
        assert.ok(await hasCookie(visit), 'the cookie is there');
        const tile = await page.goto(stage.library + TILE);
        assert.equal(tile.status(), 200, 'the session lives on');

        await visit.step('the user goes there', null, async () => {
          if (site === 'library') await page.goto(`${stage.library}/speculation/${way}`);
          const before = visit.traffic.mark();
          await page.goto(`${stage.library}/auth/logout`).catch(() => {});
          await visit.seen(both(isLogout, granted), 'the logout, loaded again', { since: before });
        });
        assert.ok(!(await hasCookie(visit)), 'the user is out');
        const after = await visit.open(stage.library + TILE).catch(() => null);
        if (after) assert.equal(await visit.statusFrom(after, stage.library + TILE), 401);
      }));
  }
}
