// The guide's single sign-on in front: Apache names the user at one path, and nobody else can.
//
// Apache is configured as the page says; a password stands for the identity provider, which cannot be
// run here.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startApache } from './harness/apache.mjs';
import { blocksOf, changed } from './harness/guide.mjs';
import { startPictureServer } from './harness/picture-server.mjs';
import { SSO_SECRET, startProxy } from './harness/proxy.mjs';
import { ask } from './harness/raw.mjs';
import { freePort } from './harness/server.mjs';
import { cookiesOf } from './harness/session.mjs';

let folder;
let images;
let proxy;
let apache;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-shibboleth-'));
  images = await startPictureServer();
  const [front, own] = [await freePort(), await freePort()];
  proxy = await startProxy({
    folder,
    port: own,
    config: changed(blocksOf('shibboleth.md', 'toml')[0], {
      '127.0.0.1:8080': `127.0.0.1:${own}`,
      'https://iiif.example': `http://localhost:${front}`,
      // So that the test sees whom the proxy takes for the user.
      'url = "http://127.0.0.1:8182"': `url = "http://127.0.0.1:${images.port}"
user_header = "x-iiif-user"
roles_header = "x-iiif-roles"`,
    }),
  });
  // Apache reads them as another user.
  chmodSync(folder, 0o711);
  const passwords = join(folder, 'passwords');
  const hash = createHash('sha1').update('secret').digest('base64');
  writeFileSync(passwords, `ada:{SHA}${hash}\n`, { mode: 0o644 });
  const site = blocksOf('shibboleth.md', 'text').find((block) => block.startsWith('<VirtualHost'));
  apache = await startApache({
    folder,
    port: front,
    site: changed(site, {
      '*:443': `127.0.0.1:${front}`,
      '127.0.0.1:8080': `127.0.0.1:${own}`,
      'AuthType shibboleth': `AuthType Basic\n        AuthName test\n        AuthUserFile ${passwords}`,
      '        ShibRequestSetting requireSession 1\n': '',
      '%{reqenv:affiliation}': 'member;staff',
      'the-line-of-the-file-sso-secret': SSO_SECRET,
    }),
  });
});
after(async () => {
  for (const server of [apache, proxy, images]) await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const IMAGE = '/iiif/3/page1/full/max/0/default.jpg';
const BASIC = { Authorization: `Basic ${Buffer.from('ada:secret').toString('base64')}` };
const NAMED = { 'X-Remote-User': 'eve', 'X-Remote-Affiliation': 'staff' };

/** The cookie of who comes through Apache, by way of the page that asks for a click. */
async function logIn(claims = {}) {
  const origin = `http://localhost:${apache.port}`;
  const page = await ask(apache.port, '/auth/login', { headers: { ...claims, ...BASIC } });
  assert.equal(page.status, 200, page.head);
  const sealed = /name="(\w+)" value="([^"]+)"/.exec(page.text);
  assert.ok(sealed, page.text);
  const action = /action="([^"]+)"/.exec(page.text)[1];
  const answer = await ask(apache.port, action, {
    method: 'POST',
    body: `${sealed[1]}=${encodeURIComponent(sealed[2])}`,
    headers: {
      Cookie: cookiesOf(page),
      Origin: origin,
      'Sec-Fetch-Site': 'same-origin',
      'Content-Type': 'application/x-www-form-urlencoded',
    },
  });
  assert.equal(answer.status, 200, answer.head);
  return cookiesOf(answer);
}

test('who is let in by the single sign-on sees the picture, by the proxy\'s own cookie', async () => {
  assert.equal((await ask(apache.port, IMAGE)).status, 401);
  assert.equal((await ask(apache.port, '/auth/login')).status, 401, 'Apache asks');
  const cookie = await logIn();
  const answer = await ask(apache.port, IMAGE, { headers: { Cookie: cookie } });
  assert.equal(answer.status, 200, answer.head);
});

test('px_04 nobody names a user but the front, and the front at one path only', async () => {
  const before = images.requests.length;
  const spellings = [
    NAMED,
    { 'x-remote-USER': 'eve', 'x-remote-affiliation': 'staff' },
    { X_Remote_User: 'eve', X_Remote_Affiliation: 'staff' },
    { ...NAMED, Connection: 'X-Remote-User' },
    { ...NAMED, ...BASIC },
  ];
  for (const headers of spellings) {
    const through = await ask(apache.port, IMAGE, { headers });
    assert.equal(through.status, 401, `${JSON.stringify(headers)}: ${through.head}`);
    // Also on the proxy's own port, by way of an address that may name users.
    const straight = await ask(proxy.port, IMAGE, { headers });
    assert.equal(straight.status, 401, `${JSON.stringify(headers)}: ${straight.head}`);
    // EX-04: nor at the login, as only Apache knows the secret.
    const named = await ask(proxy.port, '/auth/login', { headers });
    assert.equal(named.status, 403, `${JSON.stringify(headers)}: ${named.head}`);
    const login = await ask(apache.port, '/auth/login', { headers });
    if (!headers.Authorization) assert.equal(login.status, 401, login.head);
  }
  assert.equal(images.requests.length, before, 'the image server was not asked');
});

test('px_04 the user is the one that Apache knows, not the one that a client names', async () => {
  for (const claims of [{}, NAMED, { X_Remote_User: 'eve', X_Remote_Affiliation: 'staff' }]) {
    const cookie = await logIn(claims);
    const answer = await ask(apache.port, IMAGE, { headers: { ...NAMED, 'X-IIIF-User': 'eve', Cookie: cookie } });
    assert.equal(answer.status, 200, answer.head);
    const { headers } = images.requests.at(-1);
    assert.equal(headers['x-iiif-user'], 'ada', JSON.stringify(claims));
    assert.deepEqual(headers['x-iiif-roles'].split(',').sort(), ['member', 'staff']);
    assert.doesNotMatch(JSON.stringify(headers), /eve"/);
  }
});

test('px_04 who calls the header one of the connection is nobody', async () => {
  // Apache then takes out its own.
  const headers = { ...BASIC, ...NAMED, Connection: 'X-Remote-User' };
  assert.equal((await ask(apache.port, '/auth/login', { headers })).status, 403);
});

test('the path comes through Apache as it is', async () => {
  const cookie = await logIn();
  const target = '/iiif/3/dir%2Fpage1/full/max/0/default.jpg';
  const answer = await ask(apache.port, target, { headers: { Cookie: cookie } });
  assert.equal(answer.status, 200, answer.head);
  assert.equal(images.requests.at(-1).url, target);
  assert.doesNotMatch(Object.keys(images.requests.at(-1).headers).join(), /remote/);
});

test('pb_04 a value with a semicolon of its own is one role, in and out', async () => {
  const own = await freePort();
  const front = await freePort();
  const config = changed(blocksOf('shibboleth.md', 'toml')[0], {
    '127.0.0.1:8080': `127.0.0.1:${own}`,
    'https://iiif.example': `http://localhost:${front}`,
    'url = "http://127.0.0.1:8182"': `url = "http://127.0.0.1:${images.port}"
roles_header = "x-iiif-roles"`,
    'allow = ["staff", "student"]': 'allow = ["student;staff"]',
    'secret_file': 'every_request = true\nsecret_file',
  });
  const sso = await startProxy({ folder, name: 'escapes', port: own, config });
  try {
    const as = (affiliation) => ask(own, IMAGE, {
      headers: { 'X-Remote-User': 'ada', 'X-Remote-Affiliation': affiliation, 'X-Front-Secret': SSO_SECRET },
    });
    assert.equal((await as('student\\;staff')).status, 200);
    assert.equal(images.requests.at(-1).headers['x-iiif-roles'], 'student;staff');
    assert.equal((await as('student\\;staff;a,b')).status, 200);
    assert.deepEqual(images.requests.at(-1).headers['x-iiif-roles'].split(','), ['student;staff', 'a%2Cb']);
    for (const affiliation of ['student;staff', 'student', 'staff', '(null)']) {
      assert.equal((await as(affiliation)).status, 403, affiliation);
    }
  } finally {
    await sso.stop();
  }
});
