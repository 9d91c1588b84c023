// The server under test: the `quickstart` example, built, started, waited for, stopped.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { sleep } from './wait.mjs';
import { FRONT } from './tls-front.mjs';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/** Build the example and ask cargo where it put it (CARGO_TARGET_DIR and the like included). */
function build() {
  const cargo = spawnSync(
    'cargo',
    ['build', '--example', 'quickstart', '--message-format', 'json-render-diagnostics'],
    { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 64 << 20 },
  );
  if (cargo.error) throw cargo.error;
  if (cargo.status !== 0) throw new Error('cargo could not build the quickstart example');
  const built = cargo.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .find((message) => message.reason === 'compiler-artifact' && message.target.name === 'quickstart' && message.executable);
  if (!built) throw new Error('cargo built no executable called quickstart');
  return built.executable;
}

/** The executable. QUICKSTART_BIN names one to use instead of a fresh build. */
export const executable = () => process.env.QUICKSTART_BIN || build();

/** Start it for `publicUrl`; `flags`: further ones. */
export async function startQuickstart({ publicUrl, handOff, flags = [] }) {
  const port = await freePort();
  const server = spawn(
    executable(),
    // Whoever comes to the front comes from this machine, so everybody is in the reading room.
    [
      '--listen', `127.0.0.1:${port}`, '--public-url', publicUrl, '--reading-room', '127.0.0.0/8',
      '--trusted-proxy', FRONT,
      ...(handOff ? [] : ['--no-hand-off']), ...flags,
    ],
    { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let failure = null;
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => { output = (output + text).slice(-20_000); });
  }
  // Whatever ends this process, the server does not outlive it.
  process.once('exit', () => server.kill('SIGKILL'));
  server.on('error', (error) => { failure = `it could not be started: ${error.message}`; });
  server.on('exit', (code, signal) => { failure = `it ended by itself (${signal ?? code})`; });

  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    if (await Promise.race([ended.then(() => true), sleep(5_000).then(() => false)])) return;
    server.kill('SIGKILL');
    await ended;
  };

  const end = Date.now() + 30_000;
  for (;;) {
    if (failure) throw new Error(`the quickstart did not start: ${failure}\n${output}`);
    if (Date.now() > end) {
      await stop();
      throw new Error(`the quickstart did not answer within 30 s\n${output}`);
    }
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/iiif/3/open/info.json`, { signal: AbortSignal.timeout(2_000) });
      await answer.arrayBuffer();
      if (answer.ok) break;
    } catch {
      // not listening yet
    }
    await sleep(100);
  }
  return { port, stop, output: () => output };
}

export async function freePort() {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
