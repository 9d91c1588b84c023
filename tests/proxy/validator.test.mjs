// What the IIIF project's validator says of an image server is what it says of it through the proxy.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCarelessNginx, startIipsrv } from './harness/iipimage.mjs';
import { pyramid } from './harness/pictures.mjs';
import { startProxy } from './harness/proxy.mjs';
import { PREFIX, startReferenceServer } from './harness/reference-server.mjs';
import { freePort } from './harness/server.mjs';
import { drawReference, validate } from './harness/validator.mjs';

// The tests ask for what chance gives; each seed is another run.
const SEEDS = [1, 2, 3];

let folder;
const servers = [];
const started = (server) => {
  servers.unshift(server);
  return server;
};

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-validator-'));
});
after(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const openProxy = (port, upstream, base) =>
  startProxy({
    folder,
    name: `proxy-${port}`,
    port,
    config: `
listen = "127.0.0.1:${port}"
public_url = "http://localhost:${port}"
key_file = "iiif-auth.key"

[upstream]
url = "http://127.0.0.1:${upstream}"

[[base]]
path = "/${base}"

[[rule]]
match = ["*"]
allow = "everyone"

[[access]]
kind = "login"
label = "Example Library"
users_file = "users"
`,
  });

/** A folder with the validator's picture. */
function pictures(name) {
  const images = join(folder, name);
  mkdirSync(images);
  drawReference(join(images, 'squares.png'));
  return images;
}

/** Both ways, with every seed; the outcome of the last one. */
async function same({ direct, proxied, passing, ...what }) {
  let outcome;
  for (const seed of SEEDS) {
    outcome = await validate({ port: direct, seed, ...what });
    assert.deepEqual(await validate({ port: proxied, seed, ...what }), outcome, `seed ${seed}`);
    const passed = Object.values(outcome).filter((one) => one === 'pass').length;
    assert.equal(passed, passing, `${passed} of ${Object.keys(outcome).length} pass, seed ${seed}: ${JSON.stringify(outcome, null, 1)}`);
  }
}

test('Image API 2: IIPImage', async () => {
  const images = pictures('pyramids');
  pyramid(join(images, 'squares.png'), join(images, 'squares.tif'), ['--compression', 'deflate']);
  const iipsrv = started(await startIipsrv({ folder, images }));
  const nginx = started(await startCarelessNginx({ folder, iipsrv }));
  const port = await freePort();
  started(await openProxy(port, nginx.port, 'iiif/2'));
  await same({
    direct: nginx.port, proxied: port, prefix: 'iiif/2', identifier: 'squares.tif', version: '2.0', passing: 32,
  });
});

test('Image API 3: the reference implementation', async () => {
  const images = pictures('pictures');
  const direct = started(await startReferenceServer({ images }));
  const port = await freePort();
  const behind = started(await startReferenceServer({ images, publicPort: port }));
  started(await openProxy(port, behind.port, PREFIX));
  await same({
    direct: direct.port, proxied: port, prefix: PREFIX, identifier: 'squares', version: '3.0', passing: 37,
  });
});
