// Caddy with a scratch folder of its own, for a given Caddyfile.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';
import { startServer } from './server.mjs';

/** Start it for `site`, the text of a Caddyfile's sites, the first of which listens on `port`. */
export async function startCaddy({ folder, name, site, port }) {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const file = join(home, 'Caddyfile');
  // Nothing of this machine's own Caddy is touched, and nobody is asked for certificates.
  writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
  const env = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home };
  const command = program('caddy');
  const config = ['--adapter', 'caddyfile', '--config', file];
  // Says what is wrong with a configuration, and where.
  execFileSync(command, ['validate', ...config], { stdio: 'pipe', env: { ...process.env, ...env } });
  return startServer({ name, command, args: ['run', ...config], env, port });
}
