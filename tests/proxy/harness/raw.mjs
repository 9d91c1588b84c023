// One request, written to the socket as it stands: no client tidies its path up.

import { once } from 'node:events';
import { connect } from 'node:net';

/** The answer to a request for `target`: its status, head and body as bytes. */
export async function ask(port, target, { method = 'GET', host = `localhost:${port}`, headers = {}, body = '' } = {}) {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(30_000, () => socket.destroy(new Error(`no answer to ${target} within 30 s`)));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = body ? `Content-Length: ${body.length}\r\n` : '';
  socket.write(
    `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${lines}${length}\r\n${body}`,
    'latin1',
  );
  const parts = [];
  socket.on('data', (part) => parts.push(part));
  try {
    await once(socket, 'close');
  } catch (error) {
    // A server that refuses the head may reset the connection behind its answer.
    if (error.code !== 'ECONNRESET') throw error;
  }
  const answer = Buffer.concat(parts);
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.subarray(0, end < 0 ? answer.length : end).toString('latin1');
  const header = (name) => new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(head)?.[1];
  const rest = answer.subarray(end < 0 ? answer.length : end + 4);
  const content = /chunked/i.test(header('transfer-encoding') ?? '') ? withoutChunks(rest) : rest;
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    header,
    body: content,
    text: content.toString(),
    raw: answer,
  };
}

function withoutChunks(body) {
  const parts = [];
  for (let at = 0; ;) {
    const line = body.indexOf('\r\n', at);
    const length = line < 0 ? 0 : parseInt(body.subarray(at, line).toString('latin1'), 16);
    if (!(length > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
}

/** Whether bytes of a picture are in it, wherever. */
export const hasPicture = ({ raw }) => raw.includes('JFIF') || raw.includes('Exif') || raw.includes('PNG\r\n');
