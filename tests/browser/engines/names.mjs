// Tells a browser where the test sites are, without a name server: as its proxy. Every other site is
// out of reach.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';

export async function startNames(hostnames) {
  const proxy = createServer((request, response) => response.writeHead(403).end());
  proxy.on('connect', (request, client, head) => {
    const [name, port] = request.url.split(':');
    if (!hostnames.includes(name)) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const site = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      site.write(head);
      site.pipe(client).pipe(site);
    });
    site.on('error', () => client.destroy());
    client.on('error', () => site.destroy());
    client.on('close', () => site.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    host: '127.0.0.1',
    port: proxy.address().port,
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
