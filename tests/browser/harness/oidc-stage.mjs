// Three sites: the `oidc` example behind its TLS front, a real OpenID provider, and a viewer. No two share
// a registrable domain.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from './authority.mjs';
import { launchBrowser } from './browser.mjs';
import { startHttpsSite } from './https-site.mjs';
import { startNamesProxy } from './names-proxy.mjs';
import { CLIENT, openIdProvider } from './openid-provider.mjs';
import { serveFiles } from './static-files.mjs';
import { forwardTo } from './tls-front.mjs';
import { Traffic } from './traffic.mjs';
import { Visit } from './visit.mjs';
import { sleep } from './wait.mjs';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const LIBRARY = 'iiif.library.test';
const VIEWER_SITE = 'viewer.example.test';
const PROVIDER = 'login.university.test';
const HOSTNAMES = [LIBRARY, VIEWER_SITE, PROVIDER];

const notReady = (request, response) => response.writeHead(503).end();

/** `files`: what the viewer's site serves; more may be put in later. */
export async function setOidcStage({ files }) {
  const certificate = makeAuthority(HOSTNAMES);
  const traffic = new Traffic();
  const open = [];
  const strike = async () => {
    for (const one of open.reverse()) await one();
    rmSync(certificate.folder, { recursive: true, force: true });
  };
  const site = async (hostname, options) => {
    const started = await startHttpsSite({ certificate, hostname, handler: notReady, ...options });
    open.push(started.close);
    return started;
  };
  try {
    const library = await site(LIBRARY, { traffic });
    const viewers = await site(VIEWER_SITE, { handler: serveFiles(files) });
    const provider = await site(PROVIDER);
    const proxy = await startNamesProxy(HOSTNAMES);
    open.push(proxy.close);
    const stage = {
      library: library.origin,
      viewers: viewers.origin,
      provider: provider.origin,
      traffic,
      /** The Cross-Origin-Opener-Policy of the provider's pages. */
      policy: null,
    };
    provider.handler = openIdProvider({
      issuer: provider.origin,
      redirectUri: `${library.origin}/oidc/callback`,
      policy: () => stage.policy,
    });
    const server = await startServer({ certificate, library, provider, proxy });
    open.push(server.stop);
    library.handler = forwardTo(server.port);

    return Object.assign(stage, {
      serverOutput: server.output,

      /** Run `body` with a fresh browser; when it fails, print what led there. */
      async visit(name, { noise, ...options }, body) {
        const browser = await launchBrowser({ certificate, hostnames: HOSTNAMES, ...options });
        const visit = new Visit({ name, stage, context: browser.context, noise });
        try {
          await body(visit);
          visit.assertNoComplaints();
        } catch (error) {
          await visit.report(error);
          throw error;
        } finally {
          await browser.close();
        }
      },

      strike,
    });
  } catch (error) {
    await strike();
    throw error;
  }
}

/** The executable. OIDC_BIN names one to use instead of a fresh build. */
export const executable = () => process.env.OIDC_BIN || build();

/** Build the example and ask cargo where it put it. */
function build() {
  const cargo = spawnSync(
    'cargo',
    ['build', '-p', 'example-oidc', '--message-format', 'json-render-diagnostics'],
    { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 64 << 20 },
  );
  if (cargo.error) throw cargo.error;
  if (cargo.status !== 0) throw new Error('cargo could not build the oidc example');
  const messages = cargo.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const built = messages.find(({ target, profile, executable }) => target?.name === 'example-oidc' && !profile.test && executable);
  if (!built) throw new Error('cargo built no executable called example-oidc');
  return built.executable;
}

async function startServer({ certificate, library, provider, proxy }) {
  const port = await freePort();
  const secret = join(certificate.folder, 'client-secret');
  writeFileSync(secret, `${CLIENT.secret}\n`, { mode: 0o600 });
  const server = spawn(
    executable(),
    [
      '--listen', `127.0.0.1:${port}`, '--public-url', library.origin, '--issuer', provider.origin,
      '--client-id', CLIENT.id, '--client-secret-file', secret, '--ca-file', certificate.caFile,
    ],
    {
      cwd: REPOSITORY,
      env: { ...process.env, HTTPS_PROXY: proxy.url, RUST_LOG: 'trace' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let failure = null;
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => { output += text; });
  }
  process.once('exit', () => server.kill('SIGKILL'));
  server.on('error', (error) => { failure = `it could not be started: ${error.message}`; });
  server.on('exit', (code, signal) => { failure = `it ended by itself (${signal ?? code})`; });
  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  const end = Date.now() + 30_000;
  for (;;) {
    if (failure) throw new Error(`the oidc example did not start: ${failure}\n${output}`);
    if (Date.now() > end) {
      await stop();
      throw new Error(`the oidc example did not answer within 30 s\n${output}`);
    }
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/iiif/3/open/info.json`, { signal: AbortSignal.timeout(2_000) });
      await answer.arrayBuffer();
      if (answer.ok) return { port, stop, output: () => output };
    } catch {
      // not listening yet
    }
    await sleep(100);
  }
}

async function freePort() {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
