// The proxy that a server reaches the outside through. Here it is what knows the test sites by name: each
// is on this machine.

import { createServer } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';

export async function startNamesProxy(hostnames) {
  const sockets = new Set();
  const server = createServer((request, response) => response.writeHead(405).end());
  server.on('connect', (request, client, head) => {
    const [hostname, port] = request.url.split(':');
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    client.on('error', () => {});
    if (!hostnames.includes(hostname)) return client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const site = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      site.write(head);
      site.pipe(client).pipe(site);
    });
    site.on('error', () => client.destroy());
    client.on('close', () => site.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
