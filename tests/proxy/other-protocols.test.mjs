// IIPImage answers four protocols and its own commands, all from the same files. Through the
// proxy there is the Image API and nothing else, and what is refused never reaches it.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exampleFile } from './harness/examples.mjs';
import { startCarelessNginx, startIipsrv } from './harness/iipimage.mjs';
import { paintPictures } from './harness/pictures.mjs';
import { startProxy } from './harness/proxy.mjs';
import { ask, hasPicture } from './harness/raw.mjs';
import { freePort } from './harness/server.mjs';

let folder;
let iipsrv;
let nginx;
let proxy;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-protocols-'));
  const images = join(folder, 'images');
  mkdirSync(images);
  paintPictures(images);
  iipsrv = await startIipsrv({ folder, images });
  nginx = await startCarelessNginx({ folder, iipsrv });
  const port = await freePort();
  const config = exampleFile('iipimage/proxy.toml', {
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'https://iiif.example': `http://localhost:${port}`,
    '127.0.0.1:8182': `127.0.0.1:${nginx.port}`,
  });
  proxy = await startProxy({ folder, config, port });
});
after(async () => {
  await proxy?.stop();
  await nginx?.stop();
  await iipsrv?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** How often the image server was asked so far, by its own account: it writes before it answers. */
const asked = () => iipsrv.commands().length;

/** What nginx before it was asked for while `body` ran. It writes behind its answers. */
async function seenByNginx(body) {
  await sleep(300);
  const mark = nginx.log().length;
  await body();
  await sleep(300);
  return nginx.log().slice(mark);
}

// Each of these is the picture that nobody may see without a login, in one of its other names.
const OTHER_PROTOCOLS = [
  '/?FIF=reader.tif&WID=4000&CVT=jpeg',
  '/?fif=reader.tif&wid=4000&cvt=jpeg',
  '/?FIF=reader.tif&JTL=3,0',
  '/?FIF=reader.tif&OBJ=Basic-info',
  '/?IIIF=reader.tif/full/4000,/0/default.jpg',
  '/?IIIF=reader.tif/info.json',
  '/?DeepZoom=reader.tif.dzi',
  '/?DeepZoom=reader_files/12/0_0.jpg',
  '/?Zoomify=reader.tif/ImageProperties.xml',
  '/?Zoomify=reader.tif/TileGroup0/0-0-0.jpg',
  '/fcgi-bin/iipsrv.fcgi?FIF=reader.tif&WID=4000&CVT=jpeg',
  '/fcgi-bin/iipsrv.fcgi?IIIF=reader.tif/full/4000,/0/default.jpg',
  '/fcgi-bin/iipsrv.fcgi?DeepZoom=reader_files/12/0_0.jpg',
  '/fcgi-bin/iipsrv.fcgi?Zoomify=reader.tif/TileGroup0/0-0-0.jpg',
  '/iiif?FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/?FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/2?FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/2/?FIF=reader.tif&WID=400&CVT=jpeg',
  '/auth/?FIF=reader.tif&WID=400&CVT=jpeg',
  // What follows `&` is a command of its own, behind a description that everyone may read, or behind
  // an image that is open.
  '/iiif/2/x&FIF=reader.tif&WID=400&CVT=jpeg/info.json',
  '/iiif/2/x&IIIF=reader.tif/full/400,/0/default.jpg',
  '/iiif/2/reader.tif/info.json&WID=400&CVT=jpeg',
  '/iiif/2/open.tif/info.json&FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/2/open.tif&FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/2/open.tif&FIF=reader.tif&WID=400&CVT=jpeg/full/400,/0/default.jpg',
  '/iiif/2/open.tif/full/400,/0/default.jpg&FIF=reader.tif&WID=400&CVT=jpeg',
  '/iiif/older/open.tif/full/400,/0/default.jpg&FIF=reader.tif&WID=400&CVT=jpeg',
  // Other names of the file.
  '/iiif/2/./reader.tif/full/400,/0/default.jpg',
  '/iiif/2/%2Freader.tif/full/400,/0/default.jpg',
  '/iiif/2/%2E%2Freader.tif/full/400,/0/default.jpg',
  '/iiif/2/..%2Freader.tif/full/400,/0/default.jpg',
  '/iiif/2/rea%2564er.tif/full/400,/0/default.jpg',
  '/iiif/2/rea%64er.tif/full/400,/0/default.jpg',
  '/iiif/2/open%2F..%2Freader.tif/full/400,/0/default.jpg',
  '/iiif/2/open.tif/../reader.tif/full/400,/0/default.jpg',
  '/iiif/2/reader.tif%2Ffull%2F400,%2F0%2Fdefault.jpg',
  '/iiif/2/open%2F..%2Freader.tif%2Ffull%2F400,%2F0%2Fdefault.jpg',
  // Where Cantaloupe has its other doors.
  '/iiif/3/reader.tif/full/max/0/default.jpg',
  '/iiif/1/reader.tif/full/full/0/native.jpg',
  '/admin',
  '/configuration',
  '/tasks',
  '/tasks/1',
  '/status',
  '/health',
];

test('pa_14 without the proxy, the other protocols give the picture away', async () => {
  for (const target of [
    '/?FIF=reader.tif&WID=400&CVT=jpeg',
    '/?IIIF=reader.tif/full/400,/0/default.jpg',
    '/?Zoomify=reader.tif/TileGroup0/0-0-0.jpg',
    '/iiif/2/x&FIF=reader.tif&WID=400&CVT=jpeg/info.json',
    '/iiif/2/open.tif/full/400,/0/default.jpg&FIF=reader.tif&WID=400&CVT=jpeg',
    '/iiif/2/%2Freader.tif/full/400,/0/default.jpg',
    '/rewritten/open.tif/info.json?FIF=reader.tif&WID=400&CVT=jpeg',
  ]) {
    assert.ok(hasPicture(await ask(nginx.port, target)), target);
  }
});

test('pa_14 other protocols to the same bytes are closed', async () => {
  const seen = await seenByNginx(async () => {
    for (const target of OTHER_PROTOCOLS) {
      const before = asked();
      const answer = await ask(proxy.port, target);
      assert.ok([303, 400, 401, 403, 404].includes(answer.status), `${target}: ${answer.head}`);
      assert.ok(!hasPicture(answer), target);
      assert.equal(asked(), before, `${target} reached the image server`);
    }
  });
  assert.equal(seen, '', 'nothing reached the nginx before it');
});

test('pa_14 a query does not reach the image server', async () => {
  const before = asked();
  const plain = await ask(proxy.port, '/iiif/2/open.tif/full/400,/0/default.jpg');
  assert.equal(plain.status, 200, plain.head);
  for (const query of ['?x&FIF=reader.tif&WID=400&CVT=jpeg', '?&FIF=reader.tif&CVT=jpeg', '?IIIF=reader.tif/full/400,/0/default.jpg']) {
    const answer = await ask(proxy.port, `/iiif/2/open.tif/full/400,/0/default.jpg${query}`);
    assert.equal(answer.status, 200, query);
    assert.deepEqual(answer.body, plain.body, query);
    const info = await ask(proxy.port, `/iiif/2/reader.tif/info.json${query}`);
    assert.ok(JSON.parse(info.text).service, query);
  }
  const commands = iipsrv.commands().slice(before);
  assert.ok(commands.length > 0 && !commands.some((line) => /[?&]/.test(line)), commands.join('\n'));
});

test('what the proxy is for: open, refused, described', async () => {
  const tile = (id) => `/iiif/2/${id}/0,0,1024,1024/256,/0/default.jpg`;
  const open = await ask(proxy.port, tile('open.tif'));
  assert.equal(open.status, 200, open.head);
  assert.ok(hasPicture(open));

  for (const base of ['/iiif/2', '/iiif/older']) {
    const before = asked();
    for (const method of ['GET', 'HEAD', 'POST']) {
      const refused = await ask(proxy.port, `${base}/reader.tif/0,0,1024,1024/256,/0/default.jpg`, { method });
      assert.equal(refused.status, 401, `${method} ${refused.head}`);
      assert.ok(!hasPicture(refused));
    }
    assert.equal(asked(), before, 'a refusal costs the image server nothing');
  }

  const info = await ask(proxy.port, '/iiif/2/reader.tif/info.json');
  const described = JSON.parse(info.text);
  assert.equal(described['@id'], `http://localhost:${proxy.port}/iiif/2/reader.tif`, 'X-IIIF-ID reaches IIPImage');
  assert.equal(described.width, 9600);
  assert.equal(described.service[0].type, 'AuthProbeService2');
  const older = await ask(proxy.port, '/iiif/older/reader.tif/info.json');
  assert.equal(older.status, 401);
  assert.equal(JSON.parse(older.text)['@id'], `http://localhost:${proxy.port}/iiif/older/reader.tif`);
});

test('the base URI of an image leads to its description at the same base', async () => {
  for (const base of ['/iiif/2', '/iiif/older']) {
    for (const id of ['open.tif', 'reader.tif']) {
      const answer = await ask(proxy.port, `${base}/${id}`);
      assert.equal(answer.status, 303, answer.head);
      assert.equal(answer.header('location'), `http://localhost:${proxy.port}${base}/${id}/info.json`);
    }
  }
});
