// The guide's reading room: who is in it is told by addresses that nobody can make up.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blocksOf, changed } from './harness/guide.mjs';
import { startPictureServer } from './harness/picture-server.mjs';
import { startProxy } from './harness/proxy.mjs';
import { ask } from './harness/raw.mjs';
import { freePort } from './harness/server.mjs';

let folder;
let images;
// One behind a front on this machine, one that knows of none, and one with a login for all else.
let behind;
let alone;
let both;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-room-'));
  images = await startPictureServer();
  const [only, withLogin] = blocksOf('reading-room.md', 'toml');
  const start = async (name, config, changes = {}) => {
    const port = await freePort();
    return startProxy({
      folder,
      name,
      port,
      config: changed(config, {
        '127.0.0.1:8080': `127.0.0.1:${port}`,
        'https://iiif.example': `http://localhost:${port}`,
        '127.0.0.1:8182': `127.0.0.1:${images.port}`,
        ...changes,
      }),
    });
  };
  behind = await start('behind', only);
  alone = await start('alone', only, { 'trusted_proxies = ["127.0.0.1"]\n': '' });
  both = await start('both', withLogin);
});
after(async () => {
  for (const server of [behind, alone, both, images]) await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const image = (id = 'page1') => `/iiif/3/${id}/full/max/0/default.jpg`;

test('in the room by what the front says', async () => {
  for (const address of ['192.0.2.7', '2001:db8:77::1', '::ffff:192.0.2.7', '203.0.113.9, 192.0.2.7']) {
    const answer = await ask(behind.port, image(), { headers: { 'X-Forwarded-For': address } });
    assert.equal(answer.status, 200, `${address}: ${answer.head}`);
    assert.match(answer.header('cache-control'), /private/, 'nobody else may get it from a cache');
  }
});

test('px_02 not in the room, whatever a client says', async () => {
  const before = images.requests.length;
  const claims = [
    {},
    { 'X-Forwarded-For': '203.0.113.9' },
    { 'X-Forwarded-For': '192.0.2.7, 203.0.113.9' },
    { 'X-Forwarded-For': '192.0.2.7, 203.0.113.9, 127.0.0.1' },
    { 'X-Forwarded-For': '192.0.2.7, unknown' },
    { 'X-Forwarded-For': '192.0.2.300' },
    { Forwarded: 'for=192.0.2.7' },
    { 'X-Real-IP': '192.0.2.7' },
    { 'X-Client-IP': '192.0.2.7' },
    { 'True-Client-IP': '192.0.2.7' },
    { X_Forwarded_For: '192.0.2.7' },
  ];
  for (const headers of claims) {
    const answer = await ask(behind.port, image(), { headers });
    assert.ok([401, 403].includes(answer.status), `${JSON.stringify(headers)}: ${answer.head}`);
  }
  // Where no proxy is named, the header is never read.
  const answer = await ask(alone.port, image(), { headers: { 'X-Forwarded-For': '192.0.2.7' } });
  assert.ok([401, 403].includes(answer.status), answer.head);
  assert.equal(images.requests.length, before, 'the image server was not asked');
});

test('pb_03 a front in the room\'s own range is not the reader', async () => {
  const port = await freePort();
  const config = (changes) => changed(blocksOf('reading-room.md', 'toml')[0], {
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'https://iiif.example': `http://localhost:${port}`,
    '127.0.0.1:8182': `127.0.0.1:${images.port}`,
    'addresses = ["192.0.2.0/24",': 'addresses = ["127.0.0.1", "192.0.2.0/24",',
    ...changes,
  });
  for (const [name, changes, headers, expected, why] of [
    ['unlisted', { 'trusted_proxies = ["127.0.0.1"]\n': '' }, { 'X-Forwarded-For': '203.0.113.9' }, 403, /trusted_proxies/],
    ['listed', {}, {}, 403, /does not say for whom it speaks/],
    ['nobody', { 'trusted_proxies = ["127.0.0.1"]\n': '' }, {}, 200, null],
  ]) {
    const server = await startProxy({ folder, name, port, config: config(changes) });
    try {
      const answer = await ask(port, image(), { headers });
      assert.equal(answer.status === 200, expected === 200, `${name}: ${answer.head}`);
      if (why) assert.match(server.output(), why, name);
    } finally {
      await server.stop();
    }
  }
});

test('with a login for all else', async () => {
  const room = { 'X-Forwarded-For': '192.0.2.7' };
  assert.equal((await ask(both.port, image('room-1'), { headers: room })).status, 200);
  assert.equal((await ask(both.port, image('room-1'))).status, 401);
  assert.equal((await ask(both.port, image('page1'), { headers: room })).status, 401);
  const services = async (id) => JSON.parse((await ask(both.port, `/iiif/3/${id}/info.json`)).text).service[0].service[0];
  assert.equal((await services('room-1')).profile, 'external');
  assert.equal((await services('page1')).profile, 'active');
});
