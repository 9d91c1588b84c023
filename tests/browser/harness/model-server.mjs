// The checker's model server (`iiif-auth-check serve`): an item for every pattern of authorization.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './quickstart.mjs';
import { sleep } from './wait.mjs';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

function build() {
  const cargo = spawnSync(
    'cargo',
    ['build', '-p', 'iiif-auth-check', '--message-format', 'json-render-diagnostics'],
    { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 64 << 20 },
  );
  if (cargo.status !== 0) throw new Error('cargo could not build the checker');
  const lines = cargo.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return lines.find((line) => line.executable && line.target?.name === 'iiif-auth-check').executable;
}

/** The executable. CHECKER_BIN names one to use instead of a fresh build. */
export const checker = () => process.env.CHECKER_BIN || build();

/** Starts it for a `publicUrl`, with a mistake or a variation of its own if one is named. */
export const modelServer = (mutant) => async ({ publicUrl }) => {
  const port = await freePort();
  const server = spawn(
    checker(),
    [
      'serve', '--listen', `127.0.0.1:${port}`, '--public-url', publicUrl,
      ...(mutant ? ['--mutant', mutant] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  process.once('exit', () => server.kill('SIGKILL'));
  const said = await Promise.race([once(server.stdout, 'data').then(() => true), sleep(10_000).then(() => false)]);
  if (!said) throw new Error('the model server did not start');
  return {
    port,
    output: () => '',
    stop: async () => {
      if (server.exitCode !== null) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
    },
  };
};
