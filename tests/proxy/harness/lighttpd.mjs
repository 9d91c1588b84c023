// lighttpd with a scratch folder of its own, as people put it before IIPImage.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';
import { freePort, startServer } from './server.mjs';

/** Start it for the FastCGI server `iipsrv`; it makes a query of the path. */
export async function startLighttpd({ folder, iipsrv }) {
  const port = await freePort();
  const home = join(folder, 'lighttpd');
  mkdirSync(home, { recursive: true });
  const config = join(home, 'lighttpd.conf');
  writeFileSync(config, `
server.modules = ("mod_rewrite", "mod_fastcgi")
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${home}"
server.errorlog = "${home}/error.log"
url.rewrite-once = ("^/iiif/2/([^?]*)$" => "/fcgi-bin/iipsrv.fcgi?IIIF=$1")
fastcgi.server = ("/fcgi-bin/iipsrv.fcgi" => ((
  "host" => "127.0.0.1", "port" => ${iipsrv.port}, "check-local" => "disable",
)))
`);
  return startServer({ name: 'lighttpd', command: program('lighttpd'), args: ['-D', '-f', config], port });
}
