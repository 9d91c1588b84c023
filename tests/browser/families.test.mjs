// One login, one session, one log-out for viewers of all ages: side by side, and with every family in
// one document.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logIn } from './harness/access-window.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage, isInfo, isLogout, isProbe, isToken } from './harness/traffic.mjs';
import { currentViewer, filesOf, olderViewer } from './harness/viewers/index.mjs';

const mirador = olderViewer('mirador');
const universalViewer = olderViewer('universal-viewer');
const canvasPanel = currentViewer('canvas-panel');

let stage;
before(async () => {
  stage = await setStage({
    files: await filesOf([mirador, canvasPanel]),
    libraryFiles: await filesOf([universalViewer]),
  });
});
after(() => stage?.strike());

const noise = [mirador, universalViewer, canvasPanel].flatMap((viewer) => viewer.noise);
const visiting = (name, body) => test(name, () => stage.visit(`families ${name}`, { noise }, body));

const opened = async (visit, viewer, manifest) => {
  const page = await visit.context.newPage();
  const site = viewer === universalViewer ? stage.library : stage.viewers;
  await page.goto(site + viewer.path(`${stage.library}/manifests/${manifest}`));
  return page;
};

/** A window that offers to go on with the account that is there: one click, no password. */
async function goOn(visit, page, click) {
  const window = await visit.windowFrom(page, click);
  const form = window.locator('form', { has: window.locator('button[value=continue]') });
  await form.waitFor();
  await visit.photograph(window, 'the account that is there');
  await form.locator('button').click();
  await visit.closed(window);
}

visiting('a login in Mirador with 1.0 opens CanvasPanel with 2.0, one log-out closes both', async (visit) => {
  const older = await opened(visit, mirador, '2/reader.json');
  await mirador.unfold(older);
  await logIn(visit, older, () => mirador.loginButton(older).click(), 'reader', 'reader');
  const [tileOf1] = await visit.step('Mirador', older, async () => {
    await mirador.logoutButton(older).waitFor();
    await mirador.nudge(older);
    return visit.seen(both(isImage('reader', '2'), granted), 'a tile with status 200', { nudge: () => mirador.nudge(older) });
  });

  const newer = await opened(visit, canvasPanel, 'reader.json');
  const [tileOf2] = await visit.step('CanvasPanel', newer, async () => {
    await canvasPanel.loginButton(newer).waitFor();
    await goOn(visit, newer, () => canvasPanel.loginButton(newer).click());
    await visit.seen(both(isProbe('reader'), (entry) => entry.bearer), 'a probe with the token');
    await visit.assertPicture(canvasPanel.picture(newer));
    return visit.seen(both(isImage('reader'), granted), 'a tile with status 200');
  });

  await visit.step('logged out', newer, async () => {
    await older.bringToFront();
    const window = await visit.windowFrom(older, () => mirador.logoutButton(older).click());
    await visit.closed(window);
    assert.equal((await visit.seen(isLogout, 'a log-out')).length, 1, 'one of them');
    assert.equal(await visit.statusFrom(older, tileOf1.url), 401, 'the tile of 1.0');
    assert.equal(await visit.statusFrom(newer, tileOf2.url), 401, 'the tile of 2.0');
  });

  const again = await opened(visit, canvasPanel, 'reader.json');
  await visit.step('locked again', again, () => canvasPanel.loginButton(again).waitFor());
});

visiting('every family in one document: Universal Viewer', async (visit) => {
  const page = await opened(visit, universalViewer, 'all/reader.json');
  await visit.seen(both(isInfo('reader', 'all'), (entry) => entry.status === 401), 'info.json with status 401');
  await logIn(visit, page, () => universalViewer.loginButton(page).click(), 'reader', 'reader');
  await visit.step('picture', page, async () => {
    await visit.seen(both(isImage('reader', 'all'), granted), 'a tile with status 200');
    await visit.assertPicture(universalViewer.picture(page));
  });
});

visiting('every family in one document: CanvasPanel', async (visit) => {
  const page = await opened(visit, canvasPanel, 'all/reader.json');
  await canvasPanel.loginButton(page).waitFor();
  await logIn(visit, page, () => canvasPanel.loginButton(page).click(), 'reader', 'reader');
  await visit.step('picture', page, async () => {
    await visit.seen(both(isProbe('reader', 'all'), (entry) => entry.bearer), 'a probe with the token');
    await visit.seen(both(isImage('reader', 'all'), granted), 'a tile with status 200');
    await visit.assertPicture(canvasPanel.picture(page));
  });
});

// Mirador takes the first of two services for failed as soon as its window is closed, without asking
// for a token, and offers the second. There the account is known already: one more click.
visiting('every family in one document: Mirador, with one click more', async (visit) => {
  const page = await opened(visit, mirador, 'all/reader.json');
  await mirador.unfold(page);
  await logIn(visit, page, () => mirador.loginButton(page).click(), 'reader', 'reader');
  await visit.step('the second service', page, async () => {
    visit.never(isToken, 'no token is asked for');
    await mirador.unfold(page);
    await goOn(visit, page, () => mirador.loginButton(page).click());
  });
  await visit.step('picture', page, async () => {
    await mirador.logoutButton(page).waitFor();
    await mirador.nudge(page);
    await visit.seen(both(isImage('reader', 'all'), granted), 'a tile with status 200', { nudge: () => mirador.nudge(page) });
    await visit.assertPicture(mirador.picture(page), () => mirador.nudge(page));
  });
});
