// Signed locations, where the browser blocks third-party cookies: what follows the probe's `location` needs no
// cookie for pictures, sound and files, until the log-out. And what published viewers do with them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { logIn, logInWithHelper } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { openPlayer, playerFiles } from './harness/players.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage } from './harness/traffic.mjs';
import { currentViewer, filesOf, olderViewer } from './harness/viewers/index.mjs';

const SIGNED = '/auth/signed/';
const isBelow = (entry) => entry.method === 'GET' && entry.path.startsWith(SIGNED);
const isTile = (entry) => isBelow(entry) && /\.jpg$/.test(entry.path);

const universal = { ...olderViewer('universal-viewer'), site: 'viewers' };
const published = [currentViewer('canvas-panel'), currentViewer('columbia-mirador'), olderViewer('mirador'), universal];

let stage;
before(async () => {
  const files = new Map([...await clientFiles(), ...await playerFiles(), ...await filesOf(published)]);
  stage = await setStage({ files, handOff: true, flags: ['--signed-locations'] });
});
after(() => stage?.strike());

const visiting = (name, options, body) =>
  test(name, (context) => stage.visit(`signed ${name}`, options, (visit) => body(visit, context)));

/** Log in, and get a token: with the hand-off, as no cookie comes along. */
async function tokenOf(visit, client, services) {
  await logInWithHelper(visit, client.page, async () => {
    await client.open(`${services.access.id}?origin=${stage.viewers}`);
    // The frame has to be there for the code.
    client.pending = client.token(services.token, { timeout: 20_000 });
  }, 'reader', 'reader');
  const answer = await client.pending;
  assert.equal(answer?.data.type, 'AuthAccessToken2', JSON.stringify(answer?.data));
  return answer.data.accessToken;
}

function assertWithoutCookie(entries) {
  for (const entry of entries) {
    assert.deepEqual(entry.cookies, [], `${entry.path} came without a cookie`);
    assert.equal(entry.headers['access-control-allow-origin'], '*');
    assert.equal(entry.headers['referrer-policy'], 'no-referrer');
    assert.match(String(entry.headers['cache-control']), /^(private|no-store)/);
  }
}

visiting('a client by the book', { thirdPartyCookies: 'block' }, async (visit) => {
  const client = await openClient(visit);
  const services = await client.services('reader');
  const before = await client.probe(services.probe);
  assert.equal(before.result.status, 401);
  const token = await tokenOf(visit, client, services);

  const { id, tile } = await visit.step('picture', client.page, async () => {
    const { http, result } = await client.probe(services.probe, token);
    assert.deepEqual([http, result.status], [200, 302]);
    assert.equal(result.location.type, 'Image');
    const [service] = result.location.service;
    assert.ok(service.id.startsWith(stage.library + SIGNED), service.id);
    const { status, info } = await client.info(service.id);
    assert.deepEqual([status, info.id], [200, service.id]);
    const tile = `${info.id}/full/400,/0/default.jpg`;
    assert.equal(await client.show(tile, { anonymous: true }), true);
    await visit.assertPicture(client.page.locator('#picture'));
    assert.equal(await client.show(result.location.id, { anonymous: true }), true, 'the picture as a whole');
    return { id: service.id, tile };
  });

  const reel = await visit.step('sound', client.page, async () => {
    const { result } = await client.probe(`${stage.library}/auth/probe/files/recording.wav`, token);
    assert.deepEqual([result.status, result.location.type], [302, 'Sound']);
    assert.equal(await client.play(result.location.id, { anonymous: true }), true);
    assert.equal(await client.play(`${stage.library}/files/recording.wav`, { anonymous: true }), false, 'not at its own place');
    return result.location.id;
  });

  const handlist = await visit.step('download', client.page, async () => {
    const { result } = await client.probe(`${stage.library}/auth/probe/files/handlist.pdf`, token);
    const read = await client.page.evaluate(async (url) => {
      const response = await fetch(url);
      return { status: response.status, start: (await response.text()).slice(0, 5) };
    }, result.location.id);
    assert.deepEqual(read, { status: 200, start: '%PDF-' });
    return result.location.id;
  });

  await visit.step('a viewer', client.page, async () => {
    const player = await openPlayer(visit, 'openseadragon');
    assert.deepEqual(await player.play(`${id}/info.json`, false), { read: 4 });
    await visit.assertPicture(player.page.locator('#picture'));
  });
  assertWithoutCookie(await visit.seen(both(isBelow, granted), 'what lies below signed locations', { count: 5 }));

  await visit.step('logged out', client.page, async () => {
    const window = await visit.windowFrom(client.page, () => client.open(services.logout));
    await visit.closed(window);
    for (const url of [tile, `${id}/info.json`, reel, handlist]) {
      assert.equal(await visit.statusFrom(client.page, url), 401, url.replace(/signed\/[^/]+/, 'signed/…'));
    }
  });
});

// Those that follow no `location` go on as ever: with the cookie.
for (const name of ['canvas-panel', 'columbia-mirador']) {
  const viewer = currentViewer(name);
  describe(name, () => {
    visiting(`${name} goes on with the cookie`, { thirdPartyCookies: 'allow', noise: viewer.noise }, async (visit, context) => {
      const page = await visit.open(`${stage.viewers}${viewer.path(`${stage.library}/manifests/reader.json`)}`);
      await viewer.unfold?.(page);
      await viewer.loginButton(page).waitFor();
      await logInWithHelper(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
      await visit.step('picture', page, async () => {
        await viewer.logoutButton(page).waitFor();
        await viewer.nudge(page);
        const seen = await visit.seen((entry) => both(isImage('reader'), granted)(entry) || both(isTile, granted)(entry), 'a tile', { nudge: () => viewer.nudge(page) });
        context.diagnostic(`${name}: ${seen[0].path.startsWith(SIGNED) ? 'signed' : 'own'} tile`);
        await visit.assertPicture(viewer.picture(page), () => viewer.nudge(page));
      });
    });
  });
}

// Its tiles bring no cookie on another site: a description of 1.0 leads it to a signed location.
for (const thirdPartyCookies of ['allow', 'block']) {
  visiting(`universal-viewer on another site, cookies ${thirdPartyCookies}`, { thirdPartyCookies, noise: universal.noise }, async (visit) => {
    const page = await visit.open(`${stage.viewers}${universal.path(`${stage.library}/manifests/2/reader.json`)}`);
    await universal.loginButton(page).waitFor();
    await logInWithHelper(visit, page, () => universal.loginButton(page).click(), 'reader', 'reader');
    let tile;
    await visit.step('picture', page, async () => {
      const tiles = await visit.seen(both(isTile, granted), 'tiles', { count: 2 });
      [tile] = tiles;
      assertWithoutCookie(tiles);
      await visit.assertPicture(universal.picture(page));
    });
    await visit.step('logged out', page, async () => {
      // It has no button for it.
      const out = await visit.context.newPage();
      await out.goto(`${stage.library}/auth/logout/1`).catch(() => {});
      assert.equal(await visit.statusFrom(page, tile.url), 401);
    });
  });
}

// What Mirador makes of such a description.
visiting('mirador with a description of 1.0 that leads to a signed location', { thirdPartyCookies: 'allow', noise: olderViewer('mirador').noise }, async (visit, context) => {
  const viewer = olderViewer('mirador');
  const page = await visit.open(`${stage.viewers}${viewer.path(`${stage.library}/manifests/2/reader.json`)}`);
  await viewer.unfold?.(page);
  await viewer.loginButton(page).waitFor();
  await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
  await visit.step('after the login', page, async () => {
    const seen = await visit.seen((entry) => entry.status === 200 && /\.jpg$/.test(entry.path), 'a tile', { nudge: () => viewer.nudge(page) });
    context.diagnostic(seen[0].path.startsWith(SIGNED) ? 'signed' : 'own');
  });
});
