// The configurations that the guide and the examples show are ones that the proxy takes.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blocksOf, changed, guidePages } from './harness/guide.mjs';
import { startNginx } from './harness/nginx.mjs';
import { REPOSITORY, check, startProxy, warningsOf } from './harness/proxy.mjs';
import { ask } from './harness/raw.mjs';
import { freePort } from './harness/server.mjs';

let folder;
before(() => { folder = mkdtempSync(join(tmpdir(), 'iiif-guide-')); });
after(() => rmSync(folder, { recursive: true, force: true }));

/** Those of the proxy: what stands in an application's `Cargo.toml` is none. */
const configurations = (page) => blocksOf(page, 'toml').filter((block) => !/^\[(dev-)?dependencies\]/m.test(block));

const pages = guidePages().filter((page) => configurations(page).length > 0);

test('there are such pages', () => {
  const expected = ['cantaloupe.md', 'fronts.md', 'iipimage.md', 'manifests.md', 'nginx.md', 'nodes.md', 'reading-room.md', 'shibboleth.md'];
  for (const page of expected) assert.ok(pages.includes(page), page);
});

/** A block that shows a few keys, put into the configuration of a page that shows a whole one. */
function whole(block) {
  if (block.includes('[upstream]')) return block;
  const atTables = (text) => {
    const start = text.search(/^\[/m);
    return start < 0 ? [text, ''] : [text.slice(0, start), text.slice(start)];
  };
  const [keys, tables] = atTables(block);
  const [otherKeys, otherTables] = atTables(blocksOf('iipimage.md', 'toml')[0]);
  return [keys, otherKeys, otherTables, tables].join('\n');
}

for (const page of pages) {
  test(page, () => {
    for (const [index, block] of configurations(page).entries()) {
      const config = whole(block);
      assert.equal(check({ folder, name: `${page}-${index}`, config }), '', config);
      // What is copied from here leaves nothing to a front without saying so.
      assert.deepEqual(warningsOf({ folder, name: `${page}-${index}`, config }), [], config);
    }
  });
}

const example = (name) => readFileSync(join(REPOSITORY, 'proxy', name), 'utf8');

for (const name of ['proxy.toml', 'iipimage/proxy.toml', 'nginx/proxy.toml']) {
  test(`proxy/${name}`, () => {
    const own = { folder, name: name.replaceAll('/', '-'), config: example(name) };
    assert.equal(check(own), '');
    assert.deepEqual(warningsOf(own), []);
  });
}

test('a page shows the configuration that the example has', () => {
  const plain = (text) => text.split('\n').map((line) => line.replace(/ *#.*$/, '')).filter(Boolean);
  for (const [page, name] of [['iipimage.md', 'iipimage/proxy.toml'], ['nginx.md', 'nginx/proxy.toml']]) {
    assert.deepEqual(plain(blocksOf(page, 'toml')[0]), plain(example(name)), page);
  }
});

// With a front as the guide has it, a stranger's wrong passwords lock nobody else out.
for (const page of ['cantaloupe.md', 'iipimage.md']) {
  test(`lm_03 ${page}: eleven wrong passwords of a stranger's lock nobody else out`, async () => {
    const [front, own] = [await freePort(), await freePort()];
    const site = blocksOf('deployment.md', 'text').find((block) => block.includes('listen 443 ssl'));
    const nginx = await startNginx({
      folder,
      name: `${page}-nginx`,
      port: front,
      site: changed(site, { 'listen 443 ssl;': `listen 127.0.0.1:${front};`, '127.0.0.1:8080': `127.0.0.1:${own}` }),
    });
    const config = changed(blocksOf(page, 'toml')[0], { '127.0.0.1:8080': `127.0.0.1:${own}` });
    const proxy = await startProxy({ folder, name: `${page}-front`, port: own, config });
    const guess = async (from, username, password) => (await ask(front, '/auth/login', {
      method: 'POST',
      // A front of the client's own, so that it has an address of its own here.
      headers: { 'X-Forwarded-For': from, Origin: 'https://iiif.example', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `username=${username}&password=${password}`,
    })).status;
    try {
      for (let count = 0; count < 10; count += 1) assert.equal(await guess('203.0.113.9', 'reader', 'wrong'), 403);
      assert.equal(await guess('203.0.113.9', 'reader', 'wrong'), 429);
      assert.equal(await guess('203.0.113.9', 'curator', 'curator'), 200, 'another name');
      assert.equal(await guess('192.0.2.7', 'reader', 'reader'), 200, 'the reader elsewhere');
      assert.doesNotMatch(proxy.output(), /WARN.*trusted_proxies/);
    } finally {
      await proxy.stop();
      await nginx.stop();
    }
  });
}
