// Signed locations, where the browser blocks third-party cookies: what follows the probe's `location` needs no
// cookie for pictures, sound and files, until the log-out. And what published viewers do with them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logInWithHelper } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { openPlayer, playerFiles } from './harness/players.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage } from './harness/traffic.mjs';
import { currentViewer, filesOf, olderViewer } from './harness/viewers/index.mjs';

const SIGNED = '/auth/signed/';
const isBelow = (entry) => entry.method === 'GET' && entry.path.startsWith(SIGNED);
const isTile = (entry) => isBelow(entry) && /\.jpg$/.test(entry.path);

const columbia = currentViewer('columbia-mirador');
const canvasPanel = currentViewer('canvas-panel');
const mirador = olderViewer('mirador');
const universal = { ...olderViewer('universal-viewer'), site: 'viewers' };

let stage;
before(async () => {
  const files = new Map([...await clientFiles(), ...await playerFiles(), ...await filesOf([canvasPanel, columbia, mirador, universal])]);
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

const openViewer = async (visit, viewer, manifest) => {
  const page = await visit.open(`${stage.viewers}${viewer.path(`${stage.library}${manifest}`)}`);
  await viewer.unfold?.(page);
  await viewer.loginButton(page).waitFor();
  await logInWithHelper(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');
  return page;
};

// Columbia's Mirador does not look at the location of a picture: it goes on with the cookie.
visiting('columbia-mirador', { thirdPartyCookies: 'allow', noise: columbia.noise }, async (visit) => {
  const page = await openViewer(visit, columbia, '/manifests/reader.json');
  await visit.step('picture', page, async () => {
    await columbia.logoutButton(page).waitFor();
    await columbia.nudge(page);
    const [tile] = await visit.seen(both(isImage('reader'), granted), 'a tile', { nudge: () => columbia.nudge(page) });
    assert.ok(tile.cookies.includes('__Host-iiif'));
    await visit.assertPicture(columbia.picture(page), () => columbia.nudge(page));
    visit.never(isTile, 'nothing is asked for at the location');
  });
});

// To CanvasPanel anything but 200 is a refusal: what is signed is shut for it.
visiting('canvas-panel', { thirdPartyCookies: 'allow', noise: canvasPanel.noise }, async (visit) => {
  const page = await openViewer(visit, canvasPanel, '/manifests/reader.json');
  await visit.step('refused', page, async () => {
    await canvasPanel.logoutButton(page).waitFor();
    await page.getByText('Access is restricted').waitFor();
    visit.never(isTile, 'nothing is asked for at the location');
  });
});

// Its tiles bring no cookie on another site: a description of 1.0 leads it to a signed location.
for (const thirdPartyCookies of ['allow', 'block']) {
  visiting(`universal-viewer on another site, cookies ${thirdPartyCookies}`, { thirdPartyCookies, noise: universal.noise }, async (visit) => {
    const page = await openViewer(visit, universal, '/manifests/2/reader.json');
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

// Mirador takes such a description for a lesser version's: it shows the picture, and no way to log out.
visiting('mirador with 1.0', { thirdPartyCookies: 'allow', noise: mirador.noise }, async (visit, context) => {
  const page = await openViewer(visit, mirador, '/manifests/2/reader.json');
  await visit.step('picture', page, async () => {
    const ofBoth = (entry) => entry.status === 200 && /\.jpg$/.test(entry.path);
    await visit.seen(ofBoth, 'a tile', { nudge: () => mirador.nudge(page) });
    await visit.assertPicture(mirador.picture(page), () => mirador.nudge(page));
    context.diagnostic(`tiles: ${visit.traffic.since(visit.start, both(isTile, granted)).length} signed, ${visit.traffic.since(visit.start, both(isImage('reader', '2'), granted)).length} own; log-out: ${await mirador.logoutButton(page).count()}, log-in: ${await mirador.loginButton(page).count()}`);
  });
});
