// nginx with a scratch folder of its own, for given `server` blocks.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';
import { startServer } from './server.mjs';

/** Start it for `site`, the text of its `server` blocks, the first of which listens on `port`. */
export async function startNginx({ folder, name, site, port }) {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const accessLog = join(home, 'access.log');
  writeFileSync(join(home, 'site.conf'), site);
  writeFileSync(join(home, 'nginx.conf'), main(home, accessLog));
  const args = ['-p', home, '-c', join(home, 'nginx.conf')];
  const command = program('nginx');
  // Says what is wrong with a configuration, and where.
  execFileSync(command, [...args, '-t'], { stdio: 'pipe' });
  const server = await startServer({ name, command, args, port });
  return { ...server, log: () => readFileSync(accessLog, 'utf8') };
}

const main = (home, accessLog) => `
daemon off;
# One process: there is nothing to outlive it.
master_process off;
worker_processes 1;
pid ${home}/nginx.pid;
error_log ${home}/error.log;
events {}
http {
    access_log ${accessLog};
    client_body_temp_path ${home}/body;
    fastcgi_temp_path ${home}/fastcgi;
    proxy_temp_path ${home}/proxy;
    scgi_temp_path ${home}/scgi;
    uwsgi_temp_path ${home}/uwsgi;
    include ${home}/site.conf;
}
`;
