// IIPImage as people run it: a FastCGI server behind nginx.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNginx } from './nginx.mjs';
import { program } from './programs.mjs';
import { freePort, startServer } from './server.mjs';

/** The FastCGI server for the pictures in `images`. */
export async function startIipsrv({ folder, images }) {
  const port = await freePort();
  const log = join(folder, 'iipsrv.log');
  const server = await startServer({
    name: 'iipsrv',
    command: program('iipsrv.fcgi'),
    args: ['--bind', `127.0.0.1:${port}`, '--backlog', '64'],
    env: {
      FILESYSTEM_PREFIX: `${images}/`,
      URI_MAP: 'iiif/2=>IIIF',
      CORS: '*',
      MAX_CVT: '10000',
      LOGFILE: log,
      VERBOSITY: '2',
      // Nobody is there: what another IIPImage of this machine has cached is no proof of anything.
      MEMCACHED_SERVERS: '127.0.0.1:1',
    },
    port,
  });
  return {
    ...server,
    /** The commands that it was given so far, one line each. */
    commands: () => readFileSync(log, 'utf8').split('\n').filter((line) => line.startsWith('Full Request is ')),
  };
}

/**
 * nginx before it, as careless as can be: every path and every query reaches the FastCGI server, so
 * that what keeps it from answering is the proxy and nothing else.
 */
export async function startCarelessNginx({ folder, iipsrv }) {
  const port = await freePort();
  const site = `
server {
    listen 127.0.0.1:${port};
    merge_slashes off;
    location / {
        fastcgi_pass 127.0.0.1:${iipsrv.port};
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param REQUEST_URI $request_uri;
        fastcgi_param QUERY_STRING $query_string;
        fastcgi_param SERVER_PROTOCOL $server_protocol;
    }
    # The other usual way: nginx makes a query of the path, and appends the one that came.
    location /rewritten/ {
        rewrite ^/rewritten/(.*)$ /fcgi-bin/iipsrv.fcgi?IIIF=$1 last;
    }
    # Where the other protocols are, as the image server's manual has it.
    location /fcgi-bin/ {
        fastcgi_pass 127.0.0.1:${iipsrv.port};
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param REQUEST_URI $request_uri;
        fastcgi_param QUERY_STRING $query_string;
    }
}
`;
  return startNginx({ folder, name: 'careless-nginx', site, port });
}
