// nginx serves the tiles and asks the proxy yes or no: no path, however it is written, makes the two
// speak of different images.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exampleFile } from './harness/examples.mjs';
import { startIipsrv } from './harness/iipimage.mjs';
import { startNginx } from './harness/nginx.mjs';
import { paintPictures } from './harness/pictures.mjs';
import { startProxy } from './harness/proxy.mjs';
import { ask, hasPicture } from './harness/raw.mjs';
import { logIn } from './harness/session.mjs';
import { assertAsksTheProxy, assertLogsOut, freePorts, withoutTls } from './harness/tile-front.mjs';

let folder;
let iipsrv;
let nginx;
let proxy;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-nginx-'));
  const images = join(folder, 'images');
  mkdirSync(images);
  paintPictures(images);
  iipsrv = await startIipsrv({ folder, images });
  const { port: site, own, ports } = await freePorts();
  nginx = await startNginx({
    folder,
    name: 'nginx',
    port: site,
    site: exampleFile('nginx/site.conf', {
      ...ports,
      '127.0.0.1:9000': `127.0.0.1:${iipsrv.port}`,
      ...withoutTls(site),
    }),
  });
  const config = exampleFile('nginx/proxy.toml', { ...ports, 'https://iiif.example': `http://localhost:${site}` });
  proxy = await startProxy({ folder, config, port: own });
});
after(async () => {
  await proxy?.stop();
  await nginx?.stop();
  await iipsrv?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const asked = () => iipsrv.commands().length;
const image = (id) => `/iiif/2/${id}/0,0,1024,1024/256,/0/default.jpg`;

test('an open tile comes from nginx, for everyone', async () => {
  const answer = await ask(nginx.port, image('open.tif'));
  assert.equal(answer.status, 200, answer.head);
  assert.ok(hasPicture(answer));
  assert.equal(answer.header('server'), 'iipsrv/1.1', 'nginx asked the image server itself');
  assert.match(answer.header('cache-control') ?? '', /max-age/, 'shared caches may keep it');
  assert.equal(answer.header('access-control-allow-origin'), '*');
});

test('ac_01 what nginx serves itself is taken for no page: tiles, and errors without a type', async () => {
  const cookie = await logIn(nginx.port, 'reader');
  for (const [id, status] of [['open.tif', 200], ['none.tif', 404]]) {
    const answer = await ask(nginx.port, image(id), { headers: { Cookie: cookie } });
    assert.equal(answer.status, status, answer.head);
    assert.equal(answer.header('x-content-type-options'), 'nosniff', `${id}: ${answer.head}`);
  }
});

test('a closed tile: refused before the login, served after it, refused after the log-out', async () => {
  const before = asked();
  const refused = await ask(nginx.port, image('reader.tif'));
  assert.equal(refused.status, 401, refused.head);
  assert.equal(refused.header('access-control-allow-origin'), '*', 'a refusal that viewers can read');
  assert.equal(asked(), before);

  const cookie = await logIn(nginx.port, 'reader');
  const served = await ask(nginx.port, image('reader.tif'), { headers: { Cookie: cookie } });
  assert.equal(served.status, 200, served.head);
  assert.ok(hasPicture(served));
  assert.equal(served.header('server'), 'iipsrv/1.1');
  // A session lasts half an hour, and IIPImage says a day.
  const kept = /^private, max-age=(\d+)$/.exec(served.header('cache-control'));
  assert.ok(kept && Number(kept[1]) >= 0.9 * 1800, served.head);
  assert.match(served.header('vary') ?? '', /cookie/i, served.head);
  assert.equal(served.header('access-control-allow-origin'), '*');
  assert.doesNotMatch(served.head, /^(cache-control|access-control-allow-origin):(?=[\s\S]*^\1:)/im, 'each once');

  await assertLogsOut(nginx.port, image('reader.tif'), cookie);
});

test('what is no tile goes through the proxy', async () => {
  await assertAsksTheProxy(nginx.port, image('reader.tif'));
  assert.equal((await ask(nginx.port, '/elsewhere')).status, 404);
});

const TAIL = '0,0,1024,1024/256,/0/default.jpg';

// reader.tif in every spelling that nginx, the proxy and IIPImage might read
// differently.
const CONFUSING = [
  `/iiif/2/reader.tif/${TAIL}`,
  `/iiif/2/open.tif/../reader.tif/${TAIL}`,
  `/iiif/2/open.tif/%2e%2e/reader.tif/${TAIL}`,
  `/iiif/2/open.tif/.%2E/reader.tif/${TAIL}`,
  `/iiif/2/./reader.tif/${TAIL}`,
  `/iiif/2/%2e/reader.tif/${TAIL}`,
  `/iiif/2/open.tif%2F..%2Freader.tif/${TAIL}`,
  `/iiif/2/open%2F..%2Freader.tif/${TAIL}`,
  `/iiif/2/open%2f%2e%2e%2freader.tif/${TAIL}`,
  `/iiif/2/..%2Freader.tif/${TAIL}`,
  `/iiif/2/%2Freader.tif/${TAIL}`,
  `/iiif/2/open.tif%2F0,0,9,9%2F9,%2F0%2Fdefault.jpg%2F..%2F..%2F..%2F..%2F..%2Freader.tif/${TAIL}`,
  // The open one as the last word, for whom decides on what is left of a path.
  `/iiif/2/reader.tif/../open.tif/${TAIL}`,
  `/iiif/2/reader.tif%2F..%2Fopen.tif/${TAIL}`,
  `/iiif/2/reader.tif/%2e%2e/open.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}/../../../../../open.tif/${TAIL}`,
  `/iiif/2/reader.tif%2F0,0,9,9%2F9,%2F0%2Fdefault.jpg%2F..%2F..%2F..%2F..%2F..%2Fopen.tif/${TAIL}`,
  `/iiif/2/rea%64er.tif/${TAIL}`,
  `/iiif/2/rea%2564er.tif/${TAIL}`,
  `/iiif/2/open%252F..%252Freader.tif/${TAIL}`,
  `/iiif/2//reader.tif/${TAIL}`,
  `//iiif/2/reader.tif/${TAIL}`,
  `/iiif//2/reader.tif/${TAIL}`,
  `/IIIF/2/reader.tif/${TAIL}`,
  `/%69iif/2/reader.tif/${TAIL}`,
  `/iiif%2F2%2Freader.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}/`,
  `/iiif/2/reader.tif/${TAIL}?x=/iiif/2/open.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}%3F/iiif/2/open.tif/${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}%23/info.json`,
  `/iiif/2/reader.tif/${TAIL}#/info.json`,
  `/iiif/2/reader.tif%23/${TAIL}`,
  `/iiif/2/reader.tif;/${TAIL}`,
  `/iiif/2/open.tif;/../reader.tif/${TAIL}`,
  `/iiif/2/open.tif\\..\\reader.tif/${TAIL}`,
  `/iiif/2/reader.tif/full/full/0/info.json`,
  `/iiif/2/reader.tif/info.json/${TAIL}`,
  `/iiif/2/reader.tif/info.json%2f..%2f${TAIL}`,
  `/iiif/2/reader.tif/info.json/../${TAIL}`,
  `/iiif/2/reader.tif/${TAIL}/info.json`,
  `/iiif/2/reader.tif%2F0,0,1024,1024%2F256,%2F0%2Fdefault.jpg`,
  `/iiif/2/reader.tif%2F0,0,1024,1024%2F256,%2F0%2Fdefault.jpg/info.json`,
  `/iiif/2/x&FIF=reader.tif&WID=400&CVT=jpeg/info.json`,
  `/iiif/2/open.tif/${TAIL}&FIF=reader.tif&WID=400&CVT=jpeg`,
  `/iiif/2/open.tif&FIF=reader.tif&WID=400&CVT=jpeg/${TAIL}`,
  `/auth/../iiif/2/reader.tif/${TAIL}`,
  `/auth/%2e%2e/iiif/2/reader.tif/${TAIL}`,
  `/auth/..%2fiiif/2/reader.tif/${TAIL}`,
  `/auth/login/..;/../iiif/2/reader.tif/${TAIL}`,
  `/_iiif_decision`,
  `/_iiif_decision/iiif/2/reader.tif/${TAIL}`,
  `/iiif/2/reader.tif/../../../_iiif_decision`,
  `http://localhost/iiif/2/reader.tif/${TAIL}`,
  '/?FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/2/?FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/2?FIF=reader.tif&WID=400&CVT=jpeg',
];

// What only a front may say.
const FORGED = {
  'X-Forwarded-Uri': `/iiif/2/open.tif/${TAIL}`,
  'X-Original-URI': `/iiif/2/open.tif/${TAIL}`,
  'X-Original-URL': `/iiif/2/open.tif/${TAIL}`,
  'X-Rewrite-URL': `/iiif/2/open.tif/${TAIL}`,
  'X-Original-Method': 'OPTIONS',
  'X-IIIF-Path': `/iiif/2/open.tif/${TAIL}`,
  'X-IIIF-User': 'reader',
  'X-Forwarded-For': '127.0.0.1',
};

// PA-01, PA-02, PA-04, PA-05, PA-06, PA-08
test('pa_01 to pa_08 no spelling of a path gets bytes out of the image server', async () => {
  for (const target of CONFUSING) {
    for (const headers of [{}, FORGED]) {
      const before = asked();
      const answer = await ask(nginx.port, target, { headers });
      // 301 is nginx's own word to the folder without its slash.
      assert.ok([301, 303, 400, 401, 403, 404].includes(answer.status), `${target}: ${answer.head}`);
      assert.ok(!hasPicture(answer), target);
      // A description is for everyone, whatever identifier it is of; here there is none.
      const commands = iipsrv.commands().slice(before);
      assert.ok(commands.every((line) => /^[^&?]*\/info\.json$/.test(line)), `${target} became ${commands}`);
    }
  }
});

test('pa_05 a query of an open tile does not reach the image server', async () => {
  const plain = await ask(nginx.port, image('open.tif'));
  for (const query of ['?&FIF=reader.tif&WID=400&CVT=jpeg', '?IIIF=reader.tif/full/400,/0/default.jpg']) {
    const answer = await ask(nginx.port, image('open.tif') + query);
    assert.equal(answer.status, 200, query);
    assert.deepEqual(answer.body, plain.body, query);
  }
  assert.ok(!iipsrv.commands().some((line) => /[?&]/.test(line)), iipsrv.commands().join('\n'));
});

test('pa_10, pa_11 other methods open nothing', async () => {
  for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'FOO']) {
    const before = asked();
    const answer = await ask(nginx.port, image('reader.tif'), { method });
    assert.ok(answer.status >= 400 && answer.status < 500, `${method}: ${answer.head}`);
    assert.equal(asked(), before, method);
  }
});

test('no answer from the proxy is no', async () => {
  await proxy.stop();
  for (const id of ['open.tif', 'reader.tif']) {
    const before = asked();
    const answer = await ask(nginx.port, image(id));
    assert.ok(answer.status >= 500, answer.head);
    assert.ok(!hasPicture(answer));
    assert.equal(asked(), before, id);
  }
});
