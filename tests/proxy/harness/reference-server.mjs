// The reference implementation of the Image API from PyPI: an image server that speaks version 3.

import { pythonProgram } from './validator.mjs';
import { freePort, startServer } from './server.mjs';

export const PREFIX = '3.0_pil';

/** Start it for the pictures in `images`; `publicPort`: of what stands in front of it, if anything. */
export async function startReferenceServer({ images, publicPort }) {
  const port = await freePort();
  return startServer({
    name: 'iiif_testserver',
    command: pythonProgram('iiif_testserver.py'),
    args: [
      // Its Host header is to be this one, port included; 80 is left out of URIs.
      '--host', `localhost:${publicPort ?? port}`, '--port', '80',
      '--app-host', '127.0.0.1', '--app-port', String(port),
      '--image-dir', images, '--api-versions', '3.0', '--quiet',
    ],
    cwd: images,
    port,
  });
}
