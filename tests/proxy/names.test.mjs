// IIPImage takes many spellings for one picture. Through the proxy each of them is decided
// on as that one picture or refused, and pictures in folders and with odd names work, open and closed.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { startApache } from './harness/apache.mjs';
import { exampleFile } from './harness/examples.mjs';
import { startIipsrv } from './harness/iipimage.mjs';
import { startLighttpd } from './harness/lighttpd.mjs';
import { startNginx } from './harness/nginx.mjs';
import { pyramid, swatch } from './harness/pictures.mjs';
import { startProxy } from './harness/proxy.mjs';
import { ask, hasPicture } from './harness/raw.mjs';
import { freePort } from './harness/server.mjs';
import { logIn } from './harness/session.mjs';

// Names of files. Each is there twice: as it is, for readers, and in the folder `open`, for everybody.
const NAMES = [
  'plain.tif', 'dir/page.tif', 'deep/er folder/a b.tif', 'my song.tif', 'a#b.tif', 'a?b.tif', 'a;b.tif',
  "it's.tif", 'quo"te.tif', 'br[0].tif', '(c).tif', 'bücher.tif', 'a,b=c.tif', 'a@2.tif', 'x~y!$*.tif', 'a:b.tif',
  '<b>.tif', 'full/page.tif', '0,0,9,9/page.tif', 'a^b`{c}|d.tif',
];
const encoded = (name) => encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  .replaceAll('%3A', ':');
const TAIL = 'full/64,/0/default.jpg';

let folder;
const servers = [];
let iipsrv;
let fronts;
const started = (server) => {
  servers.unshift(server);
  return server;
};

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-names-'));
  const images = join(folder, 'images');
  mkdirSync(images);
  const [grey, white] = [join(folder, 'grey.tif'), join(folder, 'white.tif')];
  pyramid(swatch(folder, 'grey', 60), grey);
  pyramid(swatch(folder, 'white', 250), white);
  for (const name of NAMES) {
    for (const [picture, file] of [[grey, join(images, name)], [white, join(images, 'open', name)]]) {
      mkdirSync(dirname(file), { recursive: true });
      copyFileSync(picture, file);
    }
  }
  // For rules that open all but one.
  for (const name of ['open.tif', 'letter.tif', 'the letter.tif']) copyFileSync(name === 'open.tif' ? white : grey, join(images, name));
  iipsrv = started(await startIipsrv({ folder, images }));
  fronts = { nginx: await nginx(), lighttpd: started(await startLighttpd({ folder, iipsrv })), apache: await apache() };
  for (const [name, front] of Object.entries(fronts)) {
    front.proxy = await proxy(`${name}-example`, front, (config) => config);
    front.openProxy = await proxy(`${name}-open`, front, (config) => `${config.replace(
      'match = ["open.tif", "open/*"]\nallow = "everyone"',
      'match = ["letter.tif", "the letter.tif", "dir/page.tif"]\nallow = ["reader"]',
    ).replace('match = ["*"]\nallow = ["reader"]', 'match = ["*"]\nallow = "everyone"')}`);
  }
});
after(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As the guide has it. */
async function nginx() {
  const port = await freePort();
  const site = exampleFile('iipimage/images.conf', { '127.0.0.1:8182': `127.0.0.1:${port}`, '127.0.0.1:9000': `127.0.0.1:${iipsrv.port}` });
  return started(await startNginx({ folder, name: 'nginx', site, port }));
}

/** As IIPImage's own pages have it. */
async function apache() {
  const port = await freePort();
  const site = `
RewriteEngine On
RewriteRule ^/iiif/2/(.*)$ fcgi://127.0.0.1:${iipsrv.port}/iipsrv.fcgi?IIIF=$1 [P]
AllowEncodedSlashes NoDecode
`;
  return started(await startApache({ folder, site, port, modules: ['proxy_fcgi', 'rewrite'] }));
}

async function proxy(name, front, change) {
  const port = await freePort();
  const config = change(exampleFile('iipimage/proxy.toml', {
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'https://iiif.example': `http://localhost:${port}`,
    '127.0.0.1:8182': `127.0.0.1:${front.port}`,
  }));
  return started(await startProxy({ folder, name, config, port }));
}

/** It lives, and tells right what it is asked. */
async function assertAlive({ port }) {
  const info = await ask(port, '/iiif/2/open.tif/info.json');
  assert.equal(info.status, 200, info.head);
  assert.equal(JSON.parse(info.text)['@id'], `http://localhost:${port}/iiif/2/open.tif`);
}

for (const front of ['nginx', 'lighttpd']) {
  test(`al_04 pictures in folders and with odd names, behind ${front}`, async () => {
    const { port } = fronts[front].proxy;
    const cookie = await logIn(port, 'reader');
    for (const name of NAMES) {
      for (const [path, isOpen] of [[encoded(name), false], [encoded(`open/${name}`), true]]) {
        for (const base of ['/iiif/2', '/iiif/older']) {
          const id = `http://localhost:${port}${base}/${path}`;
          const info = await ask(port, `${base}/${path}/info.json`);
          assert.equal(info.status, isOpen || base === '/iiif/2' ? 200 : 401, `${id} ${info.head}\n${info.text}`);
          const described = JSON.parse(info.text);
          assert.equal(described['@id'], id);
          assert.equal(described.width, 256, id);
          const nobody = await ask(port, `${base}/${path}/${TAIL}`);
          assert.equal(nobody.status, isOpen ? 200 : 401, `${id} ${nobody.head}`);
          assert.equal(hasPicture(nobody), isOpen, id);
          const reader = await ask(port, `${base}/${path}/${TAIL}`, { headers: { Cookie: cookie } });
          assert.equal(reader.status, 200, `${id} ${reader.head}`);
          assert.ok(hasPicture(reader), id);
        }
        const whole = await ask(port, `/iiif/2/${path}`);
        assert.equal(whole.status, 303, whole.head);
        assert.equal(whole.header('location'), `http://localhost:${port}/iiif/2/${path}/info.json`);
        const probe = JSON.parse((await ask(port, `/auth/probe/iiif/2/${path}`)).text);
        assert.equal(probe.status, isOpen ? 200 : 401, path);
      }
    }
    await assertAlive(fronts[front].proxy);
  });
}

// Each is a picture that is closed, in a spelling of a client's own, and its canonical one if it has any.
const SPELLINGS = {
  't%68e%20letter.tif': 'the%20letter.tif',
  'the+letter.tif': 'the%20letter.tif',
  'the%2Bletter.tif': 'the%20letter.tif',
  'the%2bletter.tif': 'the%20letter.tif',
  'l%65tter.tif': 'letter.tif',
  'letter%2Etif': 'letter.tif',
  'letter%2etif': 'letter.tif',
  'dir%2Fpage.tif': 'dir%2Fpage.tif',
  'dir%2fpage.tif': 'dir%2Fpage.tif',
  'dir/page.tif': 'dir%2Fpage.tif',
  'd%69r/p%61ge.tif': 'dir%2Fpage.tif',
  'let..%2Fter.tif': '', 'let../ter.tif': '', 'dir//page.tif': '', 'dir%2F%2Fpage.tif': '', 'dir/./page.tif': '',
  'dir%2F.%2Fpage.tif': '', 'open/../letter.tif': '', '%2Fletter.tif': '', 'l%2565tter.tif': '', 'l%25%36%35tter.tif': '',
  'the%2520letter.tif': '', 'dir%252Fpage.tif': '', 'the%25%32%30letter.tif': '', 'letter.tif%00': '', 'let%00ter.tif': '',
  'letter.tif%2500': '', '%20letter.tif': '', 'letter.tif%20': '', 'letter.tif+': '', 'letter.tif.': '',
  'x%26FIF=letter.tif%26WID=64%26CVT=jpeg': '', 'x&FIF=letter.tif&WID=64&CVT=jpeg': '', 'open.tif%26FIF=letter.tif': '',
  'letter.tif%2Ffull%2F64,%2F0%2Fdefault.jpg': '', 'letter.tif/full%2F64,%2F0%2Fdefault.jpg': '',
  'open.tif%0aletter.tif': '', '100%25.tif': '', 'letter%C0%AEtif': '', 'letter.tif\\': '',
};

for (const front of ['nginx', 'lighttpd', 'apache']) {
  test(`al_02, al_03, al_04 no spelling of a closed picture opens it, behind ${front}`, async () => {
    const { openProxy } = fronts[front];
    const { port } = openProxy;
    for (const [spelling, canonical] of Object.entries(SPELLINGS)) {
      for (const rest of [TAIL, 'full/64,/0/default', '', 'FULL/64,/0/default.jpg']) {
        const answer = await ask(port, `/iiif/2/${spelling}${rest && '/'}${rest}`);
        assert.ok([303, 400, 401, 404].includes(answer.status), `${spelling} ${rest}: ${answer.head}`);
        assert.ok(!hasPicture(answer), `${spelling} ${rest}`);
      }
      for (const tail of [`${TAIL}%26FIF=letter.tif%26CVT=jpeg`, `${TAIL}&FIF=letter.tif`, `full/64,%26FIF=letter.tif/0/default.jpg`]) {
        const answer = await ask(port, `/iiif/2/open.tif/${tail}`);
        assert.equal(answer.status, 400, `${tail}: ${answer.head}`);
      }
      const tile = await ask(port, `/iiif/2/${spelling}/${TAIL}`);
      assert.equal(tile.status, canonical ? 401 : 400, `${spelling}: ${tile.head}`);
      const before = iipsrv.commands().length;
      const info = await ask(port, `/iiif/2/${spelling}/info.json`);
      if (!canonical) {
        assert.equal(info.status, 400, `${spelling}: ${info.head}`);
        assert.equal(iipsrv.commands().length, before, spelling);
        continue;
      }
      // What Apache makes of spaces and slashes is its own; the other two are as the guide has it.
      if (front === 'apache' && info.status !== 200) continue;
      assert.equal(info.status, 200, `${spelling}: ${info.head}`);
      const described = JSON.parse(info.text);
      assert.equal(described['@id'], `http://localhost:${port}/iiif/2/${canonical}`, spelling);
      assert.equal(described.service[0].id, `http://localhost:${port}/auth/probe/iiif/2/${canonical}`, spelling);
      const head = await ask(port, `/iiif/2/${spelling}/info.json`, { method: 'HEAD' });
      assert.equal(head.status, 200, head.head);
    }
    await assertAlive(openProxy);
  });
}

test('al_07 IIPImage sends nothing large to nobody', async () => {
  const front = fronts.nginx;
  const small = await proxy('small', front, (config) => config.replace('match = ["*"]\nallow = ["reader"]', 'match = ["*"]\nallow = ["reader"]\nmax_unauthorized = 100'));
  const shown = async (size) => ask(small.port, `/iiif/2/letter.tif/${size}/default.jpg`);
  for (const size of ['full/100,/0', 'full/!100,100/0', 'full/,50/0', 'full/pct:25/90']) {
    const answer = await shown(size);
    assert.equal(answer.status, 200, `${size}: ${answer.head}`);
    assert.ok(hasPicture(answer), size);
  }
  for (const size of ['full/!99999,1/0', 'full/!1,99999/0', 'full/-5,/0', 'full/101,/0', 'full/!101,1/0', 'full/full/0', 'full/pct:40/0', 'full/1e9,/0', 'FULL/100,/0']) {
    const answer = await shown(size);
    assert.equal(answer.status, 401, `${size}: ${answer.head}`);
    assert.ok(!hasPicture(answer), size);
  }
});
