// Players that read content by a script, with the cookie: HLS, and OpenSeadragon with credentials. The
// quickstart lets viewers do so that the session is bound to.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { goOn, logIn, logInUpToTheClick } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { openPlayer, playerFiles } from './harness/players.mjs';
import { setStage } from './harness/stage.mjs';
import { serveFiles } from './harness/static-files.mjs';
import { both, granted } from './harness/traffic.mjs';

const EVIL = 'evil.example.org';

const stages = {};
before(async () => {
  const players = await playerFiles();
  const files = new Map([...await clientFiles(), ...players]);
  const others = { [EVIL]: serveFiles(players) };
  stages.plain = await setStage({ files, others });
  stages.handOff = await setStage({ files, others, handOff: true });
});
after(() => Promise.all(Object.values(stages).map((stage) => stage.strike())));

// A page that may not read is told so by the browser, and by the player.
const noise = [/blocked by CORS policy/, /Failed to load resource/, /hls/i, /OpenSeadragon/i, /Error/];

const stream = (stage) => `${stage.library}/files/stream/stream.m3u8`;
const picture = (stage) => `${stage.library}/iiif/3/reader/info.json`;
const isPiece = (entry) => /^\/files\/stream\/\d\.m4s$/.test(entry.path);
const isTile = (entry) => entry.method === 'GET' && entry.path.startsWith('/iiif/3/reader/') && !entry.path.endsWith('info.json');

async function login(visit, { handOff }) {
  const client = await openClient(visit);
  const services = await client.services('reader');
  const open = () => client.open(`${services.access.id}?origin=${visit.stage.viewers}`);
  if (handOff) {
    const window = await logInUpToTheClick(visit, client.page, open, 'reader', 'reader');
    // The token's frame has to be there for the code.
    const token = client.token(services.token, { timeout: 15_000 });
    await goOn(visit, window);
    assert.equal((await token)?.data.type, 'AuthAccessToken2');
  } else {
    await logIn(visit, client.page, open, 'reader', 'reader');
  }
}

for (const [name, thirdPartyCookies, which] of [
  ['cookies allowed', 'allow', 'plain'],
  ['cookies blocked, the login handed off', 'block', 'handOff'],
]) {
  const visiting = (what, body) =>
    test(`${what}, ${name}`, () => stages[which].visit(`${what} ${name}`, { thirdPartyCookies, noise }, async (visit) => {
      await body(visit, stages[which], () => login(visit, { handOff: which === 'handOff' }));
    }));

  visiting('hls.js', async (visit, stage, login) => {
    const before = await openPlayer(visit, 'hls');
    await visit.step('locked', before.page, async () => {
      assert.ok((await before.play(stream(stage), true)).failed);
    });
    await login();
    const player = await openPlayer(visit, 'hls');
    await visit.step('plays', player.page, async () => {
      const { played, duration, failed } = await player.play(stream(stage), true);
      assert.ok(played > 0.3, failed);
      assert.ok(Math.abs(duration - 6 * 32768 / 24000) < 0.3, `it lasts ${duration} s`);
      const [piece] = await visit.seen(both(isPiece, granted), 'a piece of the stream');
      assert.equal(piece.headers['access-control-allow-origin'], stage.viewers);
      assert.equal(piece.headers['access-control-allow-credentials'], 'true');
      assert.match(String(piece.headers.vary), /\borigin\b/i);
    });
    await visit.step('without the cookie', player.page, async () => {
      assert.ok((await player.play(stream(stage), false)).failed);
    });
    const evil = await openPlayer(visit, 'hls', stage.others[EVIL]);
    await visit.step('another page', evil.page, async () => {
      const mark = visit.traffic.mark();
      assert.ok((await evil.play(stream(stage), true)).failed);
      await visit.seen((entry) => entry.path.endsWith('.m3u8'), 'it asked', { since: mark });
      visit.never(isPiece, 'it read no playlist', mark);
    });
  });

  visiting('OpenSeadragon with credentials', async (visit, stage, login) => {
    const before = await openPlayer(visit, 'openseadragon');
    await visit.step('locked', before.page, async () => {
      assert.deepEqual(await before.play(picture(stage)), { failed: 'open' });
    });
    await login();
    const player = await openPlayer(visit, 'openseadragon');
    await visit.step('shown', player.page, async () => {
      assert.deepEqual(await player.play(picture(stage)), { read: 4 });
      await visit.assertPicture(player.page.locator('#picture'));
      await visit.seen(both(isTile, granted), 'a tile');
    });
    const evil = await openPlayer(visit, 'openseadragon', stage.others[EVIL]);
    await visit.step('another page', evil.page, async () => {
      assert.deepEqual(await evil.play(picture(stage)), { failed: 'open' });
    });
  });
}

// Where cookies are blocked and nothing is handed off, there is nothing to read with.
test('cookies blocked', () => stages.plain.visit('players blocked', { thirdPartyCookies: 'block', noise }, async (visit) => {
  await login(visit, { handOff: false });
  const player = await openPlayer(visit, 'hls');
  await visit.step('locked', player.page, async () => {
    assert.ok((await player.play(stream(stages.plain), true)).failed);
    visit.never(both(isPiece, granted), 'nothing was read');
  });
}));
