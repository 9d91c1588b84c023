// The proxy under test: the `iiif-auth-proxy`, built, configured, started.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from './server.mjs';

export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

let built;

/** The executable. PROXY_BIN names one to use instead of a fresh build. */
export function executable() {
  built ??= process.env.PROXY_BIN || build();
  return built;
}

/** Asks cargo where it put it (CARGO_TARGET_DIR and the like included). */
function build() {
  const cargo = spawnSync(
    'cargo',
    ['build', '-p', 'iiif-auth-proxy', '--message-format', 'json-render-diagnostics'],
    { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 64 << 20 },
  );
  if (cargo.error) throw cargo.error;
  if (cargo.status !== 0) throw new Error('cargo could not build iiif-auth-proxy');
  const artifact = cargo.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .find((message) => message.reason === 'compiler-artifact' && message.target.name === 'iiif-auth-proxy' && message.executable);
  if (!artifact) throw new Error('cargo built no executable called iiif-auth-proxy');
  return artifact.executable;
}

/** The users that every configuration here has; their passwords are their names. */
export const USERS = { reader: ['reader'], curator: ['reader', 'curator'] };

/** What the single sign-on's web server alone knows. */
export const SSO_SECRET = randomBytes(32).toString('hex');

let hashes;

/** Writes what a configuration refers to, `iiif-auth.key`, `users`, `store-url` and `sso-secret`, into its folder. */
export function writeSecrets(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'iiif-auth.key'), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'store-url'), 'redis://:password@127.0.0.1:6379\n', { mode: 0o600 });
  writeFileSync(join(folder, 'sso-secret'), `${SSO_SECRET}\n`, { mode: 0o600 });
  hashes ??= Object.keys(USERS).map(hash);
  const lines = Object.entries(USERS).map(([name, roles], index) => `${name}:${hashes[index]}:${roles.join(',')}\n`);
  writeFileSync(join(folder, 'users'), lines.join(''), { mode: 0o600 });
}

function hash(password) {
  const run = spawnSync(executable(), ['--hash-password'], { input: `${password}\n`, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`--hash-password failed: ${run.stderr}`);
  return run.stdout.trim();
}

/** What `--check` says of a configuration: nothing, or its mistakes. */
export function check({ folder, name, config }) {
  const { status, output } = checked({ folder, name, config });
  return status === 0 ? '' : output;
}

/** What `--check` warns of, a line each. */
export function warningsOf({ folder, name, config }) {
  return checked({ folder, name, config }).output.split('\n').filter((line) => line.includes(': warning: '));
}

function checked({ folder, name, config }) {
  const home = join(folder, name);
  writeSecrets(home);
  const file = join(home, 'proxy.toml');
  writeFileSync(file, config);
  const run = spawnSync(executable(), ['--config', file, '--check'], { encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

/** Start it with `config`, the text of a configuration that listens on `port`. */
export async function startProxy({ folder, name = 'proxy', config, port, env = {} }) {
  const mistakes = check({ folder, name, config });
  if (mistakes) throw new Error(mistakes);
  return startServer({
    name,
    command: executable(),
    args: ['--config', join(folder, name, 'proxy.toml')],
    env: { RUST_BACKTRACE: '1', ...env },
    port,
  });
}
