// The configurations that the guide and the examples show are ones that the proxy takes.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blocksOf, guidePages } from './harness/guide.mjs';
import { REPOSITORY, check, warningsOf } from './harness/proxy.mjs';

let folder;
before(() => { folder = mkdtempSync(join(tmpdir(), 'iiif-guide-')); });
after(() => rmSync(folder, { recursive: true, force: true }));

const pages = guidePages().filter((page) => blocksOf(page, 'toml').length > 0);

test('there are such pages', () => {
  const expected = ['cantaloupe.md', 'iipimage.md', 'manifests.md', 'nginx.md', 'nodes.md', 'reading-room.md', 'shibboleth.md'];
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
    for (const [index, block] of blocksOf(page, 'toml').entries()) {
      const config = whole(block);
      assert.equal(check({ folder, name: `${page}-${index}`, config }), '', config);
      // LM-03, EX-04: what is copied from here leaves nothing to a front without saying so.
      assert.deepEqual(warningsOf({ folder, name: `${page}-${index}`, config }), [], config);
    }
  });
}

const example = (name) => readFileSync(join(REPOSITORY, 'examples/reverse_proxy', name), 'utf8');

for (const name of ['proxy.toml', 'iipimage/proxy.toml', 'nginx/proxy.toml']) {
  test(`examples/reverse_proxy/${name}`, () => {
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
