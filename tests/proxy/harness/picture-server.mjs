// An image server that needs nothing installed: it answers every request, and counts.

import { createServer } from 'node:http';
import { once } from 'node:events';

export async function startPictureServer() {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url, headers: request.headers });
    if (request.url.endsWith('/info.json')) {
      const id = `http://localhost${request.url.replace(/\/info\.json$/, '')}`;
      response.writeHead(200, { 'content-type': 'application/json' });
      const context = 'http://iiif.io/api/image/3/context.json';
      response.end(JSON.stringify({ '@context': context, id, type: 'ImageService3', profile: 'level2', width: 9, height: 9 }));
    } else {
      response.writeHead(200, { 'content-type': 'image/jpeg' });
      response.end('JFIF');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    requests,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
