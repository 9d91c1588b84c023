// What the samples of fronts that serve tiles themselves have in common: the ports that they name, and what has to
// be true of each.

import assert from 'node:assert/strict';
import { ask } from './raw.mjs';
import { freePort } from './server.mjs';

/** Free ports for a front and the proxy's listeners, and what takes the place of those in the samples. */
export async function freePorts() {
  const [port, own, decisions, descriptions] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports = {
    '127.0.0.1:8080': `127.0.0.1:${own}`,
    '127.0.0.1:8081': `127.0.0.1:${decisions}`,
    '127.0.0.1:8182': `127.0.0.1:${descriptions}`,
  };
  return { port, own, decisions, ports };
}

/** What changes nginx/site.conf so that it listens at this port without TLS. */
export const withoutTls = (port) => ({
  'listen 443 ssl;': `listen 127.0.0.1:${port};`,
  '    ssl_certificate /etc/ssl/iiif.example.pem;\n': '',
  '    ssl_certificate_key /etc/ssl/iiif.example.key;\n': '',
});

/** After a log-out the same cookie opens nothing. */
export async function assertLogsOut(port, tile, cookie) {
  const logout = await ask(port, '/auth/logout', { headers: { Cookie: cookie } });
  assert.equal(logout.status, 200, logout.head);
  const again = await ask(port, tile, { headers: { Cookie: cookie } });
  assert.equal(again.status, 401, again.head);
}

/** Description, probe and preflight of reader.tif are the proxy's; the preflight's answer is handed out. */
export async function assertAsksTheProxy(port, tile) {
  const info = await ask(port, '/iiif/2/reader.tif/info.json');
  assert.equal(info.status, 200, info.head);
  const described = JSON.parse(info.text);
  assert.equal(described['@id'], `http://localhost:${port}/iiif/2/reader.tif`);
  assert.equal(described.service[0].type, 'AuthProbeService2');
  const probe = await ask(port, '/auth/probe/iiif/2/reader.tif');
  assert.equal(JSON.parse(probe.text).status, 401, probe.text);
  const preflight = await ask(port, tile, {
    method: 'OPTIONS',
    headers: { Origin: 'https://viewer.example', 'Access-Control-Request-Method': 'GET' },
  });
  assert.ok([200, 204].includes(preflight.status), preflight.head);
  return preflight;
}
