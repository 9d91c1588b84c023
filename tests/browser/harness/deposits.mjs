// The server under test where users deposit files: a small server of documents behind the
// `iiif-auth-proxy`. Below `/own` the proxy was told that the publisher puts every page there.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy } from '../../proxy/harness/proxy.mjs';
import { freePort } from '../../proxy/harness/server.mjs';

/** What a hostile page does: it reads what the reader may see, takes a token, and tells of both. */
const ATTACK = `
  (async () => {
    const text = async (path) => { try { return await (await fetch(path)).text(); } catch (error) { return ''; } };
    const pixels = await text('/files/reader.txt');
    const token = await text('/auth/token/1');
    const found = (pixels.includes('for readers only') ? 'pixels' : '') + (token.includes('accessToken') ? 'token' : '');
    await text('/pages/told?found=' + (found || 'nothing'));
  })();`;

const SVG = (script) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80"><rect width="60" height="80" fill="#c33"/>` +
  `<circle cx="90" cy="40" r="25" fill="#36c"/><script>//<![CDATA[\n${script}\n//]]></script></svg>`;
const HTML = (script) => `<!doctype html><title>deposited</title><p>deposited</p><script>${script}</script>`;
const XHTML = (script) =>
  `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>deposited</title></head><body><p>deposited</p>` +
  `<script>//<![CDATA[\n${script}\n//]]></script></body></html>`;
const WORKER = `navigator.serviceWorker.register('/files/worker.js').then(
  () => fetch('/pages/told?found=worker'), () => fetch('/pages/told?found=nothing'));`;

const FILES = {
  'x.svg': ['image/svg+xml', SVG(ATTACK)],
  'x.html': ['text/html; charset=utf-8', HTML(ATTACK)],
  'x.xhtml': ['application/xhtml+xml', XHTML(ATTACK)],
  'x.xml': ['text/xml', XHTML(ATTACK)],
  'worker.html': ['text/html', HTML(WORKER)],
  'worker.js': ['text/javascript', 'self.addEventListener("fetch", () => {});'],
  'reader.txt': ['text/plain', 'for readers only'],
  told: ['text/plain', 'thank you'],
};

export async function startDeposits({ publicUrl }) {
  const folder = mkdtempSync(join(tmpdir(), 'iiif-deposits-'));
  const upstream = createServer((request, response) => {
    const name = request.url.split('?')[0].split('/').at(-1);
    // The error page shows what was asked for, as many do.
    const [type, body] = FILES[name] ?? ['text/html', HTML(ATTACK)];
    response.writeHead(FILES[name] ? 200 : 404, { 'content-type': type }).end(body);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const close = async () => {
    upstream.closeAllConnections();
    upstream.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const port = await freePort();
    const config = `
listen = "127.0.0.1:${port}"
public_url = "${publicUrl}"
key_file = "iiif-auth.key"
trusted_proxies = ["127.0.0.1"]
public_paths = ["/pages/*"]
[upstream]
url = "http://127.0.0.1:${upstream.address().port}"
[[base]]
path = "/iiif/2"
families = ["1.0"]
[[base]]
path = "/files"
kind = "files"
[[base]]
path = "/own"
kind = "files"
insecure_active_content = true
[[rule]]
match = ["*.txt"]
allow = ["reader"]
[[rule]]
match = ["*"]
allow = "everyone"
[[access]]
kind = "login"
label = { en = "Example Library" }
users_file = "users"
`;
    const proxy = await startProxy({ folder, config, port });
    return {
      port,
      output: proxy.output,
      stop: async () => {
        await proxy.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
