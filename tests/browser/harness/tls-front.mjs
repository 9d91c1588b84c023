// What stands in front of an image server in real life: it ends the TLS and passes everything on
// over plain HTTP, bodies as streams, Host as it came, with the usual X-Forwarded-* headers.

import { request as httpRequest } from 'node:http';

// Headers that belong to one connection (RFC 9110, 7.6.1) and are not passed on.
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Where a front connects from whose word for who asks is believed: no visitor comes from there. */
export const FRONT = '127.0.0.2';

export function forwardTo(port, localAddress) {
  return (request, response) => {
    // Who asks may be gone already, and then has no address any more.
    const { remoteAddress } = request.socket;
    if (remoteAddress === undefined) return response.destroy();
    const headers = without(request.headers, HOP_BY_HOP);
    headers['x-forwarded-for'] = remoteAddress;
    headers['x-forwarded-proto'] = 'https';
    headers['x-forwarded-host'] = request.headers.host;

    const upstream = httpRequest(
      // A connection of its own for each request: one kept open could be closed by the server in the
      // moment it is used again, and the test would fail for no fault of anybody's.
      { host: '127.0.0.1', localAddress, port, agent: false, method: request.method, path: request.url, headers },
      (answer) => {
        response.writeHead(answer.statusCode, answer.statusMessage, without(answer.headers, HOP_BY_HOP));
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    upstream.on('error', (error) => {
      if (response.headersSent || response.destroyed) return response.destroy();
      response.writeHead(502, { 'content-type': 'text/plain' });
      response.end(`the server behind the front did not answer: ${error.message}\n`);
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  };
}

function without(headers, names) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
