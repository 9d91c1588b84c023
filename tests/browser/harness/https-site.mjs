// One HTTPS site under a name of its own, on a free port of this machine. What it answers is the
// handler's affair; what it was asked is written to the traffic.

import { createServer } from 'node:https';
import { once } from 'node:events';

export async function startHttpsSite({ certificate, hostname, traffic, handler }) {
  const site = { origin: null, port: null, handler };
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    const entry = traffic?.begin(site.origin, request);
    if (entry) {
      const writeHead = response.writeHead;
      response.writeHead = function (...args) {
        const result = writeHead.apply(this, args);
        traffic.end(entry, response.statusCode, { ...response.getHeaders(), ...headersOf(args) });
        return result;
      };
      response.on('close', () => traffic.close(entry));
    }
    site.handler(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  site.port = server.address().port;
  site.origin = `https://${hostname}:${site.port}`;
  site.close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return site;
}

/** The headers object among writeHead's arguments, keys in lower case. */
function headersOf(args) {
  const given = args.find((arg) => arg !== null && typeof arg === 'object' && !Array.isArray(arg)) ?? {};
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
}
