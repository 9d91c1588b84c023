// Caddy serves the tiles and asks the proxy yes or no, as caddy/Caddyfile has it. A no is the proxy's own answer.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCaddy } from './harness/caddy.mjs';
import { exampleFile } from './harness/examples.mjs';
import { handOff } from './harness/hand-off.mjs';
import { startIipsrv } from './harness/iipimage.mjs';
import { movingClock } from './harness/moving-clock.mjs';
import { paintPictures } from './harness/pictures.mjs';
import { startProxy } from './harness/proxy.mjs';
import { ask, hasPicture } from './harness/raw.mjs';
import { cookiesOf, logIn } from './harness/session.mjs';
import { assertAsksTheProxy, assertLogsOut, freePorts } from './harness/tile-front.mjs';

const VIEWER = 'https://viewer.example';

let folder;
let iipsrv;
let site;
let clocked;
const stops = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-caddy-'));
  const images = join(folder, 'images');
  mkdirSync(images);
  paintPictures(images);
  iipsrv = await startIipsrv({ folder, images });
  site = await start('site', {});
  const clock = movingClock(folder);
  const blocked = '[third_party_cookies]\nhand_off = true\nstorage_access = true\n\n[upstream]';
  clocked = { ...await start('clocked', { config: { '[upstream]': blocked }, env: clock.env, url: 'https://iiif.example' }), clock };
});
after(async () => {
  for (const server of stops.reverse()) await server.stop();
  await iipsrv?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Caddy with its Caddyfile, and a proxy behind it with nginx/proxy.toml, which is told who asks. */
async function start(name, { config = {}, env, url }) {
  const { port, own, ports } = await freePorts();
  const caddy = await startCaddy({
    folder,
    name: `${name}-caddy`,
    port,
    site: exampleFile('caddy/Caddyfile', {
      ...ports,
      '127.0.0.1:9000': `127.0.0.1:${iipsrv.port}`,
      'iiif.example {': `http://:${port} {\n\tbind 127.0.0.1`,
    }),
  });
  stops.push(caddy);
  const text = exampleFile('nginx/proxy.toml', {
    ...config,
    ...ports,
    '[forward_auth]': '[forward_auth]\nfront = "caddy"',
    'https://iiif.example': url ?? `http://localhost:${port}`,
  });
  const proxy = await startProxy({ folder, name, config: text, port: own, env });
  stops.push(proxy);
  return { port, proxy };
}

const asked = () => iipsrv.commands().length;
const TAIL = '0,0,1024,1024/256,/0/default.jpg';
const image = (id) => `/iiif/2/${id}/${TAIL}`;
const count = (answer, name) => [...answer.head.matchAll(new RegExp(`^${name}:`, 'gim'))].length;

test('an open tile comes from the image server, for everyone', async () => {
  const answer = await ask(site.port, image('open.tif'));
  assert.equal(answer.status, 200, answer.head);
  assert.ok(hasPicture(answer));
  assert.match(answer.head, /iipsrv/, 'Caddy asked the image server itself');
  assert.match(answer.header('cache-control') ?? '', /max-age/);
  assert.doesNotMatch(answer.head, /^cache-control:.*private/im, 'shared caches may keep it');
  assert.equal(answer.header('access-control-allow-origin'), '*');
});

test('a closed tile: refused in full before the login, served after it, refused after the log-out', async () => {
  const before = asked();
  const refused = await ask(site.port, image('reader.tif'), { headers: { Origin: VIEWER } });
  assert.equal(refused.status, 401, refused.head);
  assert.equal(refused.header('access-control-allow-origin'), '*', 'a refusal that viewers can read');
  assert.equal(refused.header('cache-control'), 'no-store');
  assert.match(refused.header('content-type'), /^text\/plain/);
  assert.ok(refused.text.trim().length > 0, 'the words of the proxy');
  const head = await ask(site.port, image('reader.tif'), { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [401, '']);
  assert.equal(asked(), before);

  const cookie = await logIn(site.port, 'reader');
  const served = await ask(site.port, image('reader.tif'), { headers: { Cookie: cookie } });
  assert.equal(served.status, 200, served.head);
  assert.ok(hasPicture(served));
  // A session lasts half an hour, and IIPImage says a day.
  const kept = /^private, max-age=(\d+)$/.exec(served.header('cache-control'));
  assert.ok(kept && Number(kept[1]) >= 0.9 * 1800, served.head);
  assert.match(served.header('vary') ?? '', /cookie/i, served.head);
  for (const name of ['cache-control', 'access-control-allow-origin', 'x-content-type-options']) {
    assert.equal(count(served, name), 1, `${name}: ${served.head}`);
  }

  await assertLogsOut(site.port, image('reader.tif'), cookie);
});

test('what is no tile goes through the proxy', async () => {
  const preflight = await assertAsksTheProxy(site.port, image('reader.tif'));
  assert.equal(preflight.header('access-control-allow-origin'), '*');
  const plain = await ask(site.port, image('open.tif'));
  for (const query of ['?&FIF=reader.tif&WID=400&CVT=jpeg', '?IIIF=reader.tif/full/400,/0/default.jpg']) {
    const answer = await ask(site.port, image('open.tif') + query);
    assert.deepEqual([answer.status, answer.body.equals(plain.body)], [200, true], query);
  }
  assert.ok(!iipsrv.commands().some((line) => /[?&]/.test(line)), iipsrv.commands().join('\n'));
  const cookie = await logIn(site.port, 'reader');
  const escaped = await ask(site.port, `/iiif/2/rea%64er.tif/${TAIL}`, { headers: { Cookie: cookie } });
  assert.ok(escaped.status === 200 && hasPicture(escaped), escaped.head);
  assert.equal((await ask(site.port, '/elsewhere')).status, 404);
});

// reader.tif in spellings that Caddy, the proxy and IIPImage might read differently.
const CONFUSING = [
  `/iiif/2/reader.tif/${TAIL}`,
  `/iiif/2/open.tif/../reader.tif/${TAIL}`,
  `/iiif/2/../2/reader.tif/${TAIL}`,
  `/iiif/2/../open.tif/full/256,/0/default.jpg`,
  `/iiif/2/open.tif/%2e%2e/reader.tif/${TAIL}`,
  `/iiif/2/./reader.tif/${TAIL}`,
  `/iiif/2/open.tif%2F..%2Freader.tif/${TAIL}`,
  `/iiif/2/..%2Freader.tif/${TAIL}`,
  `/iiif/2/reader.tif/../open.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}/../../../../../open.tif/${TAIL}`,
  `/iiif/2/rea%64er.tif/${TAIL}`,
  `/iiif/2/rea%2564er.tif/${TAIL}`,
  `/iiif/2//reader.tif/${TAIL}`,
  `//iiif/2/reader.tif/${TAIL}`,
  `/IIIF/2/reader.tif/${TAIL}`,
  `/%69iif/2/reader.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}/`,
  `/iiif/2/reader.tif/${TAIL}?x=/iiif/2/open.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}%3F/iiif/2/open.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}#/info.json`,
  `/iiif/2/open.tif/${TAIL}#/../../../../../reader.tif/${TAIL}`,
  `/iiif/2/reader.tif;/${TAIL}`,
  `/iiif/2/open.tif\\..\\reader.tif/${TAIL}`,
  `/iiif/2/reader.tif/full/full/0/info.json`,
  `/iiif/2/open.tif/${TAIL}&FIF=reader.tif&WID=400&CVT=jpeg`,
  `/iiif/2/open.tif&FIF=reader.tif&WID=400&CVT=jpeg/${TAIL}`,
  `/auth/../iiif/2/reader.tif/${TAIL}`,
  `/auth/%2e%2e/iiif/2/reader.tif/${TAIL}`,
  `http://localhost/iiif/2/reader.tif/${TAIL}`,
  '/?FIF=reader.tif&WID=400&CVT=jpeg',
];

// What only a front may say.
const FORGED = {
  'X-Forwarded-Uri': image('open.tif'),
  'X-Forwarded-Method': 'GET',
  'X-Original-URI': image('open.tif'),
  'X-Original-Method': 'GET',
  'X-IIIF-Path': image('open.tif'),
  'X-IIIF-User': 'reader',
  'X-Forwarded-For': '127.0.0.1',
};

test('pa_01 to pa_08 no spelling of a path gets bytes out of the image server', async () => {
  for (const target of CONFUSING) {
    for (const headers of [{}, FORGED]) {
      const before = asked();
      const answer = await ask(site.port, target, { headers });
      assert.ok([301, 303, 308, 400, 401, 403, 404].includes(answer.status), `${target}: ${answer.head}`);
      assert.ok(!hasPicture(answer), target);
      const commands = iipsrv.commands().slice(before);
      assert.ok(commands.every((line) => /^[^&?]*\/info\.json$/.test(line)), `${target} became ${commands}`);
    }
  }
});

test('px_01 a client that names another path is decided on by its own', async () => {
  const forged = await ask(site.port, image('reader.tif'), { headers: FORGED });
  assert.equal(forged.status, 401, forged.head);
  const other = await ask(site.port, image('open.tif'), { headers: { ...FORGED, 'X-Forwarded-Uri': image('reader.tif') } });
  assert.equal(other.status, 200, other.head);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
    const before = asked();
    const answer = await ask(site.port, image('reader.tif'), { method, headers: { 'X-Forwarded-Method': 'GET' } });
    assert.ok(answer.status >= 400 && answer.status < 500, `${method}: ${answer.head}`);
    assert.equal(asked(), before, method);
  }
});

// EX-03: at +400 s it is renewed, at +601 s the picture is still there.
test('ex_03 a cookie that a decision renews arrives through Caddy', async () => {
  const { port, clock } = clocked;
  const refused = await ask(port, image('reader.tif'), {
    headers: { Origin: VIEWER, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Storage-Access': 'inactive' },
  });
  assert.match(refused.header('activate-storage-access') ?? '', /retry/, refused.head);
  const first = await handOff(port, VIEWER);
  assert.match(first, /^__Host-iiif-p=/);
  const tile = (cookie) => ask(port, image('reader.tif'), { headers: { Cookie: cookie } });
  const early = await tile(first);
  assert.equal(early.status, 200, early.head);
  assert.doesNotMatch(early.head, /set-cookie/i, 'not yet');
  const vary = [...early.head.matchAll(/^vary: *(.*)$/gim)].map(([, value]) => value.toLowerCase()).join(', ');
  assert.match(vary, /cookie.*sec-fetch-storage-access|sec-fetch-storage-access.*cookie/);

  clock.moveTo(400);
  const renewing = await tile(first);
  assert.ok(renewing.status === 200 && hasPicture(renewing), renewing.head);
  const renewed = cookiesOf(renewing);
  assert.match(renewed, /^__Host-iiif-p=/, renewing.head);
  assert.match(renewing.header('set-cookie'), /HttpOnly; SameSite=None; Secure; Partitioned|Partitioned/);
  assert.notEqual(renewed, first);
  assert.match(renewing.header('cache-control'), /private|no-store/, 'no shared cache may keep the cookie');

  clock.moveTo(601);
  assert.equal((await tile(first)).status, 401, 'the first one has ended');
  const later = await tile(renewed);
  assert.ok(later.status === 200 && hasPicture(later), later.head);
  const open = await ask(port, image('open.tif'), { headers: { Cookie: renewed } });
  assert.equal(open.status, 200);
  assert.doesNotMatch(open.head, /set-cookie/i, 'what is open sets none');
});

test('no answer from the proxy is no', async () => {
  await site.proxy.stop();
  for (const id of ['open.tif', 'reader.tif']) {
    const before = asked();
    const answer = await ask(site.port, image(id));
    assert.ok(answer.status >= 500, answer.head);
    assert.ok(!hasPicture(answer));
    assert.equal(asked(), before, id);
  }
});
