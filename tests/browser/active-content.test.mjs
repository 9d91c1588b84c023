// What users deposit, opened by a reader who is logged in, does not run as a page of the login's
// own. Where the publisher lets it, it does, and takes all: so the test can tell.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logIn } from './harness/access-window.mjs';
import { startDeposits } from './harness/deposits.mjs';
import { setStage } from './harness/stage.mjs';
import { html } from './harness/static-files.mjs';
import { sleep } from './harness/wait.mjs';

const files = new Map([['/', html('<title>viewer</title><a id="next" target="_blank" rel="opener">next</a><img id="img" width="120">')]]);

let stage;
before(async () => { stage = await setStage({ files, start: startDeposits }); });
after(() => stage?.strike());

// A script that is kept from running, and an error page, are told of in the console.
const noise = [/sandbox/i, /status of 40[34]/, /bad HTTP response code \(403\)/i];
const told = (entry) => entry.path === '/pages/told';

/** A page of the viewer's site, whose user has logged in from it. */
async function loggedIn(visit) {
  const page = await visit.open(`${stage.viewers}/`);
  const open = async (url) => {
    await page.locator('#next').evaluate((link, url) => { link.href = url; }, url);
    await page.locator('#next').click();
  };
  const login = `${stage.library}/auth/login/1?origin=${encodeURIComponent(stage.viewers)}`;
  await logIn(visit, page, () => open(login), 'reader', 'reader');
  return { page, open };
}

const NAMES = ['x.svg', 'x.html', 'x.xhtml', 'x.xml', 'missing'];

for (const [where, paths] of [['below a base', '/files/'], ['at a public path', '/pages/']]) {
  for (const name of NAMES) {
    test(`${where}: ${name} does not run`, () =>
      stage.visit(`active content ${where} ${name}`, { noise }, async (visit) => {
        const { page, open } = await loggedIn(visit);
        const mark = visit.traffic.mark();
        const window = await visit.windowFrom(page, () => open(stage.library + paths + name));
        await window.waitForLoadState();
        await sleep(1_000); // for what must not come
        visit.never(told, 'it tells of nothing', mark);
        visit.never((entry) => entry.path.startsWith('/auth/token'), 'no token is asked for', mark);
        const [document] = visit.traffic.since(mark, (entry) => entry.path === paths + name);
        assert.equal(document.headers['content-security-policy'], 'sandbox');
      }));
  }
}

for (const name of NAMES) {
  test(`where the publisher lets it run, ${name} takes all`, () =>
    stage.visit(`active content own ${name}`, { noise }, async (visit) => {
      const { page, open } = await loggedIn(visit);
      const mark = visit.traffic.mark();
      await visit.windowFrom(page, () => open(`${stage.library}/own/${name}`));
      const [entry] = await visit.seen(told, 'the page to tell what it found', { since: mark });
      assert.equal(entry.query.get('found'), 'pixelstoken');
    }));
}

test('no deposited script becomes a service worker, not even for a page that runs', () =>
  stage.visit('active content worker', { noise }, async (visit) => {
    const { page, open } = await loggedIn(visit);
    const mark = visit.traffic.mark();
    await visit.windowFrom(page, () => open(`${stage.library}/own/worker.html`));
    const [entry] = await visit.seen(told, 'the page to tell what came of it', { since: mark });
    assert.equal(entry.query.get('found'), 'nothing');
    const [asked] = visit.traffic.since(mark, ({ path }) => path === '/files/worker.js');
    assert.equal(asked.status, 403);
  }));

test('SVG shows in a page of the viewer', () =>
  stage.visit('active content img', { noise }, async (visit) => {
    const { page } = await loggedIn(visit);
    const mark = visit.traffic.mark();
    for (const path of ['/files/x.svg', '/pages/x.svg']) {
      // Decoded, and of the size that the picture says.
      const width = await page.locator('#img').evaluate(async (img, src) => {
        img.src = src;
        await img.decode();
        return img.naturalWidth;
      }, stage.library + path);
      assert.equal(width, 120);
    }
    visit.never(told, 'nothing runs in it', mark);
  }));
