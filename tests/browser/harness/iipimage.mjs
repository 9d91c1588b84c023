// The server under test where it is not the quickstart: IIPImage behind nginx behind the
// `iiif-auth-proxy`, configured by the example's own files.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleFile } from '../../proxy/harness/examples.mjs';
import { startIipsrv } from '../../proxy/harness/iipimage.mjs';
import { startNginx } from '../../proxy/harness/nginx.mjs';
import { paintPictures } from '../../proxy/harness/pictures.mjs';
import { startProxy } from '../../proxy/harness/proxy.mjs';
import { freePort } from '../../proxy/harness/server.mjs';

export { SIZE } from '../../proxy/harness/pictures.mjs';

/** Start all three for `publicUrl`, with pictures of their own. */
export async function startIipImage({ publicUrl }) {
  const folder = mkdtempSync(join(tmpdir(), 'iiif-iipimage-'));
  const servers = [];
  const stop = async () => {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const images = join(folder, 'images');
    mkdirSync(images);
    paintPictures(images);
    const iipsrv = await startIipsrv({ folder, images });
    servers.unshift(iipsrv);

    const imagesPort = await freePort();
    const site = exampleFile('iipimage/images.conf', {
      '127.0.0.1:8182': `127.0.0.1:${imagesPort}`,
      '127.0.0.1:9000': `127.0.0.1:${iipsrv.port}`,
    });
    servers.unshift(await startNginx({ folder, name: 'nginx', site, port: imagesPort }));

    const port = await freePort();
    const config = exampleFile('iipimage/proxy.toml', {
      '127.0.0.1:8080': `127.0.0.1:${port}`,
      'https://iiif.example': publicUrl,
      '127.0.0.1:8182': `127.0.0.1:${imagesPort}`,
    });
    const proxy = await startProxy({ folder, config, port });
    servers.unshift(proxy);
    return { port, stop, output: proxy.output };
  } catch (error) {
    await stop();
    throw error;
  }
}
