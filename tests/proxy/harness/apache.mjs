// Apache with a scratch folder of its own, for a given virtual host.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';
import { startServer } from './server.mjs';

const MODULES = [
  'mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic', 'headers', 'proxy', 'proxy_http',
];

/** Start it on `port` for `site`, the text of a virtual host, with further modules. */
export async function startApache({ folder, site, port, modules = [] }) {
  const home = join(folder, 'apache');
  mkdirSync(home, { recursive: true });
  const config = join(home, 'apache2.conf');
  writeFileSync(config, main(home, port, site, modules));
  const command = program('apache2');
  // Says what is wrong with a configuration, and where.
  execFileSync(command, ['-f', config, '-t'], { stdio: 'pipe' });
  return startServer({ name: 'apache', command, args: ['-f', config, '-DFOREGROUND'], port });
}

const main = (home, port, site, modules) => `
ServerRoot ${home}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${home}/apache.pid
ErrorLog ${home}/error.log
Mutex file:${home} default
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
${[...MODULES, ...modules].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${site}
`;
