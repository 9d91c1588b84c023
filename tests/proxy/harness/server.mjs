// A server as a child of this process: started, waited for, stopped.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port of this machine that nobody listens on. */
export async function freePort() {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Start it, and wait until it listens on `port`. */
export async function startServer({ name, command, args, env = {}, port, cwd }) {
  const server = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let failure = null;
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => { output = (output + text).slice(-50_000); });
  }
  // Whatever ends this process, the server does not outlive it.
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  server.on('error', (error) => { failure = `it could not be started: ${error.message}`; });
  server.on('exit', (code, signal) => { failure = `it ended by itself (${signal ?? code})`; });

  const stop = async () => {
    process.off('exit', kill);
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    if (await Promise.race([ended.then(() => true), sleep(5_000, false)])) return;
    server.kill('SIGKILL');
    await ended;
  };

  const end = Date.now() + 60_000;
  while (!(await listens(port))) {
    if (failure) throw new Error(`${name} did not start: ${failure}\n${output}`);
    if (Date.now() > end) {
      await stop();
      throw new Error(`${name} does not listen after 60 s\n${output}`);
    }
    await sleep(50);
  }
  return { port, stop, output: () => output };
}

async function listens(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
