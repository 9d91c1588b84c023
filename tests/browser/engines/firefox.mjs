// Firefox with a fresh profile, driven through WebDriver BiDi.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../harness/wait.mjs';
import { startBidi } from './bidi.mjs';

export const executable = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox']
  .find((path) => path && existsSync(path));

const PREFERENCES = {
  // Without these Firefox behaves under automation as it does for a user, its popup blocker included.
  'remote.prefs.recommended': false,
  'app.update.disabledForTesting': true,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'services.settings.server': 'data:,none',
  'startup.homepage_welcome_url': 'about:blank',
  'toolkit.telemetry.server': '',
  'browser.safebrowsing.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  // A click in a window that has just come up counts: a user would be slower.
  'dom.input_events.security.minNumTicks': 0,
  'dom.input_events.security.minTimeElapsedInMS': 0,
};

export async function launch({ names, preferences = {} }) {
  const profile = await mkdtemp(join(tmpdir(), 'iiif-firefox-'));
  const proxy = {
    'network.proxy.type': 1,
    'network.proxy.ssl': names.host,
    'network.proxy.ssl_port': names.port,
    'network.proxy.http': names.host,
    'network.proxy.http_port': names.port,
  };
  const lines = Object.entries({ ...PREFERENCES, ...proxy, ...preferences })
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));

  const firefox = spawn(
    executable,
    [...(process.env.HEADED ? [] : ['--headless']), '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } },
  );
  const kill = () => firefox.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  firefox.stderr.setEncoding('utf8').on('data', (text) => { output = (output + text).slice(-10_000); });
  const ended = once(firefox, 'exit');
  const clear = async () => {
    const timer = setTimeout(kill, 5_000);
    await ended;
    clearTimeout(timer);
    process.off('exit', kill);
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const [, address] = await until(() => /WebDriver BiDi listening on (ws:\S+)/.exec(output), 'Firefox to listen');
    const session = await startBidi(address, { acceptInsecureCerts: true });
    return {
      ...session,
      close: async () => {
        await session.close();
        await clear();
      },
    };
  } catch (error) {
    kill();
    await clear();
    throw new Error(`${error.message}\n${output}`, { cause: error });
  }
}
