// nginx in front, as site.conf has it: what it hands on of a decision, and what it lets nobody say.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exampleFile } from './harness/examples.mjs';
import { handOff } from './harness/hand-off.mjs';
import { startIipsrv } from './harness/iipimage.mjs';
import { movingClock } from './harness/moving-clock.mjs';
import { startNginx } from './harness/nginx.mjs';
import { pyramid } from './harness/pictures.mjs';
import { program } from './harness/programs.mjs';
import { SSO_SECRET, startProxy, warningsOf } from './harness/proxy.mjs';
import { ask, hasPicture } from './harness/raw.mjs';
import { freePort } from './harness/server.mjs';
import { cookiesOf } from './harness/session.mjs';
import { freePorts, withoutTls } from './harness/tile-front.mjs';

const VIEWER = 'https://viewer.example';

let folder;
let iipsrv;
const stops = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-front-'));
  const images = join(folder, 'images');
  mkdirSync(images);
  const flat = join(folder, 'flat.v');
  execFileSync(program('vips'), ['black', flat, '2000', '1500'], { stdio: 'pipe' });
  for (const name of ['open.tif', 'reader.tif']) pyramid(flat, join(images, name));
  iipsrv = await startIipsrv({ folder, images });
});
after(async () => {
  for (const server of stops.reverse()) await server.stop();
  await iipsrv?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** nginx with site.conf, changed by `site`, and a proxy behind it with nginx/proxy.toml, changed by `config`. */
async function start(name, { config = {}, site = {}, env }) {
  const { port, own, decisions, ports } = await freePorts();
  const nginx = await startNginx({
    folder,
    name: `${name}-nginx`,
    port,
    site: exampleFile('nginx/site.conf', {
      ...site,
      ...ports,
      '127.0.0.1:9000': `127.0.0.1:${iipsrv.port}`,
      ...withoutTls(port),
    }),
  });
  stops.push(nginx);
  const text = exampleFile('nginx/proxy.toml', { ...config, ...ports });
  stops.push(await startProxy({ folder, name, config: text, port: own, env }));
  return { port, direct: own, decisions };
}

const image = (id) => `/iiif/2/${id}/0,0,1024,1024/256,/0/default.jpg`;
// EX-03: at +400 s it is renewed, at +601 s the picture is still there.
test('ex_03 a cookie that a decision renews arrives through nginx', async () => {
  const clock = movingClock(folder);
  const { port } = await start('renewed', {
    env: clock.env,
    config: { '[upstream]': '[third_party_cookies]\nhand_off = true\nstorage_access = true\n\n[upstream]' },
  });
  const first = await handOff(port, VIEWER);
  assert.match(first, /^__Host-iiif-p=/);
  const tile = (cookie) => ask(port, image('reader.tif'), { headers: { Cookie: cookie } });

  const early = await tile(first);
  assert.equal(early.status, 200, early.head);
  assert.doesNotMatch(early.head, /set-cookie/i, 'not yet');
  const vary = [...early.head.matchAll(/^vary: *(.*)$/gim)].map(([, value]) => value.toLowerCase()).join(', ');
  assert.match(vary, /cookie/);
  assert.match(vary, /sec-fetch-storage-access/, 'every line of it');

  clock.moveTo(400);
  const renewing = await tile(first);
  assert.equal(renewing.status, 200, renewing.head);
  assert.equal(renewing.header('server'), 'iipsrv/1.1', 'nginx serves the tile');
  const renewed = cookiesOf(renewing);
  assert.match(renewed, /^__Host-iiif-p=/, renewing.head);
  assert.match(renewing.header('set-cookie'), /HttpOnly; SameSite=None; Secure; Partitioned|Partitioned/);
  assert.notEqual(renewed, first);
  assert.match(renewing.header('cache-control'), /private/, 'no shared cache may keep the cookie');

  clock.moveTo(601);
  assert.equal((await tile(first)).status, 401, 'the first one has ended');
  const later = await tile(renewed);
  assert.equal(later.status, 200, later.head);
  assert.ok(hasPicture(later));
  const open = await ask(port, image('open.tif'), { headers: { Cookie: renewed } });
  assert.equal(open.status, 200);
  assert.doesNotMatch(open.head, /set-cookie/i, 'what is open sets none');
});

const SSO = {
  'kind = "login"': 'kind = "single-sign-on"\nuser_header = "x-remote-user"\nroles_header = "x-remote-groups"\npeers = ["127.0.0.1"]\nevery_request = true',
  'users_file = "users"\n': '',
};
const NAMED = [
  { 'X-Remote-User': 'eve', 'X-Remote-Groups': 'reader' },
  { 'x-remote-USER': 'eve', 'x-remote-groups': 'reader' },
  { X_Remote_User: 'eve', X_Remote_Groups: 'reader' },
  { 'X-Remote-User': 'eve', 'X-Remote-Groups': 'reader', 'X-Front-Secret': 'x' },
];

test('ex_04 identity headers of a client\'s own are cleared by site.conf', async () => {
  const { port, direct } = await start('identity', { config: SSO });
  for (const headers of NAMED) {
    const tile = await ask(port, image('reader.tif'), { headers });
    assert.equal(tile.status, 401, `${JSON.stringify(headers)}: ${tile.head}`);
    assert.ok(!hasPicture(tile));
    const token = await ask(port, `/auth/token?messageId=m1&origin=${VIEWER}`, { headers });
    assert.doesNotMatch(token.text, /accessToken/);
    const login = await ask(port, `/auth/login?origin=${VIEWER}`, { headers });
    assert.equal(login.status, 403, login.head);
  }
  // It is nginx that keeps them away: to the proxy itself they would be the front's.
  const straight = await ask(direct, image('reader.tif'), { headers: NAMED[0] });
  assert.equal(straight.status, 200, straight.head);
});

test('ex_04 with a secret a front that clears nothing names nobody either', async () => {
  const config = { ...SSO, 'users_file = "users"\n': 'secret_file = "sso-secret"\n' };
  const careless = Object.fromEntries(
    ['X-Remote-User', 'X-Remote-Groups', 'X-Front-Secret'].map((name) => [`        proxy_set_header ${name} "";\n`, '']),
  );
  const { port, direct } = await start('secret', { config, site: careless });
  for (const headers of NAMED) {
    const tile = await ask(port, image('reader.tif'), { headers });
    assert.equal(tile.status, 401, `${JSON.stringify(headers)}: ${tile.head}`);
  }
  const front = { ...NAMED[0], 'X-Front-Secret': SSO_SECRET };
  assert.equal((await ask(direct, image('reader.tif'), { headers: front })).status, 200);
});

test('ex_04 --check warns of a single sign-on without a secret', () => {
  const of = (name, changes) => warningsOf({ folder, name, config: exampleFile('nginx/proxy.toml', changes) });
  assert.deepEqual(of('check-login', {}), []);
  const [warning, ...more] = of('check-sso', SSO);
  assert.match(warning, /line \d+: .*x-remote-user.*clear/);
  assert.deepEqual(more, []);
  assert.deepEqual(of('check-secret', { ...SSO, 'users_file = "users"\n': 'secret_file = "sso-secret"\n' }), []);
});

test('lm_03 --check warns of a front that is not listed', () => {
  const config = exampleFile('nginx/proxy.toml', { 'trusted_proxies = ["127.0.0.1"]\n': '' });
  const warnings = warningsOf({ folder, name: 'check-front', config });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /trusted_proxies is missing/);
});

test('pb_01, pb_02 nothing but bases and public paths comes to IIPImage, and no query', async () => {
  // All of nginx's requests go to the proxy, and all of the proxy's to IIPImage.
  const [port, own] = [await freePort(), await freePort()];
  const nginx = await startNginx({
    folder,
    name: 'doors-nginx',
    port,
    site: `server {
      listen 127.0.0.1:${port};
      merge_slashes off;
      location / {
        fastcgi_pass 127.0.0.1:${iipsrv.port};
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param REQUEST_URI $request_uri;
        fastcgi_param QUERY_STRING $query_string;
        fastcgi_param SERVER_PROTOCOL $server_protocol;
      }
    }`,
  });
  stops.push(nginx);
  const config = exampleFile('iipimage/proxy.toml', {
    '127.0.0.1:8080': `127.0.0.1:${own}`,
    '127.0.0.1:8182': `127.0.0.1:${port}`,
    '[upstream]': 'public_paths = ["/", "/static/*"]\n\n[upstream]',
  });
  stops.push(await startProxy({ folder, name: 'doors', config, port: own }));
  const FIF = 'FIF=reader.tif&WID=400&CVT=jpeg';
  assert.ok(hasPicture(await ask(port, `/?${FIF}`)), 'straight to it the picture comes');
  assert.ok(hasPicture(await ask(port, `/auth/login/x?${FIF}`)), 'by any path');
  const targets = [
    `/auth/login/x?${FIF}`, '/auth/login/?IIIF=reader.tif/full/400,/0/default.jpg', `/auth/login?${FIF}`,
    `/auth/?${FIF}`, `/auth/token/x?${FIF}`, `/?${FIF}`, `/static/?${FIF}`, `/static/x?${FIF}`, `/static/x&${FIF}`,
    `/static/..%2f?${FIF}`, `/static/%3F${FIF}`,
  ];
  for (const target of targets) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await ask(own, target, { method });
      assert.ok(!hasPicture(answer), `${method} ${target}: ${answer.head}`);
      if (target.startsWith('/auth/') && target !== `/auth/login?${FIF}`) {
        assert.ok([404, 405].includes(answer.status), `${method} ${target}: ${answer.head}`);
      }
    }
  }
});
