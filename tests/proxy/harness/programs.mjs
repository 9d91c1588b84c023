// Programs of the system that the tests start. A missing one is a failure with what to type, not a
// test that is left out.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const PACKAGES = {
  'iipsrv.fcgi': 'iipimage-server',
  apache2: 'apache2-bin',
  lighttpd: 'lighttpd',
  cc: 'gcc',
  nginx: 'nginx',
  vips: 'libvips-tools',
  python3: 'python3-venv',
};

// Not all of these folders are in everybody's PATH.
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/lib/iipimage-server'];

/** Where a program is. */
export function program(name) {
  for (const folder of FOLDERS.filter(Boolean)) {
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  throw new Error(`${name} is not installed: apt-get install ${PACKAGES[name] ?? name}`);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
