// WebKitGTK's MiniBrowser with a fresh profile, driven through WebKitWebDriver, on a display of its
// own: it has no mode without one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../harness/wait.mjs';
import { startWebDriver } from './webdriver.mjs';

const found = (...paths) => paths.find((path) => path && existsSync(path));
const driver = found(process.env.WEBKIT_DRIVER, '/usr/bin/WebKitWebDriver');
const xvfb = found('/usr/bin/Xvfb');

export const executable = driver && xvfb;

export async function launch({ names, args = [] }) {
  const home = await mkdtemp(join(tmpdir(), 'iiif-webkit-'));
  const display = await startDisplay();
  const port = await freePort();
  const process_ = spawn(driver, [`--port=${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      DISPLAY: display.name,
      HOME: home,
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_DATA_HOME: join(home, 'data'),
      GTK_A11Y: 'none',
      NO_AT_BRIDGE: '1',
      // No graphics card is needed.
      LIBGL_ALWAYS_SOFTWARE: '1',
    },
  });
  const kill = () => process_.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  process_.stderr.setEncoding('utf8').on('data', (text) => { output = (output + text).slice(-10_000); });
  const ended = once(process_, 'exit');
  const clear = async () => {
    process_.kill('SIGTERM');
    const timer = setTimeout(kill, 5_000);
    await ended;
    clearTimeout(timer);
    process.off('exit', kill);
    await display.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const session = await startWebDriver(`http://127.0.0.1:${port}`, {
      acceptInsecureCerts: true,
      'webkitgtk:browserOptions': {
        binary: miniBrowser(),
        args: ['--automation', `--proxy=http://${names.host}:${names.port}`, ...args],
      },
    });
    return {
      ...session,
      close: async () => {
        await session.close();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw new Error(`${error.message}\n${output}`, { cause: error });
  }
}

function miniBrowser() {
  const path = found(
    process.env.MINIBROWSER,
    ...['4.1', '6.0', '4.0'].flatMap((api) =>
      ['x86_64', 'aarch64'].map((machine) =>
        `/usr/lib/${machine}-linux-gnu/webkit${api === '6.0' ? '' : '2'}gtk-${api}/MiniBrowser`)),
  );
  if (!path) throw new Error('no MiniBrowser found; name it in the environment variable MINIBROWSER');
  return path;
}

/** An X server on the first number that is free. */
async function startDisplay() {
  const server = spawn(xvfb, ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  let number = '';
  server.stdio[3].setEncoding('utf8').on('data', (text) => { number += text; });
  await until(() => number.endsWith('\n'), 'a display');
  return {
    name: `:${number.trim()}`,
    async close() {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
    },
  };
}

async function freePort() {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
