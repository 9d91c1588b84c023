// One Chromium with a fresh profile, which knows the test sites by name and no other site at all.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function executable() {
  const found = CANDIDATES.find((path) => path && existsSync(path));
  if (!found) throw new Error('no Chromium found; name its executable in the environment variable CHROMIUM');
  return found;
}

/**
 * `thirdPartyCookies` is 'allow' or 'block'. It is always written into the profile, since the
 * default differs between builds: Debian's Chromium blocks, Google's allows.
 */
export async function launchBrowser({ certificate, hostnames, thirdPartyCookies = 'allow', viewport = { width: 1200, height: 800 } }) {
  const profile = await mkdtemp(join(tmpdir(), 'iiif-browser-'));
  await mkdir(join(profile, 'Default'));
  await writeFile(
    join(profile, 'Default', 'Preferences'),
    JSON.stringify({ profile: { cookie_controls_mode: thirdPartyCookies === 'block' ? 1 : 0 } }),
  );

  const removeProfile = () => rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable(),
      headless: !process.env.HEADED,
      slowMo: Number(process.env.SLOWMO ?? 0),
      viewport,
      // Playwright lets every window open. A user's browser does not, and a viewer that opens the
      // login without a click should fail here too.
      ignoreDefaultArgs: ['--disable-popup-blocking'],
      args: [
        // Replaces Playwright's own list, which would switch off the partitioning of third-party
        // storage; a user's browser has it.
        '--disable-features=Translate,MediaRouter,OptimizationHints',
        `--ignore-certificate-errors-spki-list=${certificate.spkiHash}`,
        `--host-resolver-rules=${hostnames.map((name) => `MAP ${name} 127.0.0.1`).join(', ')}, MAP * ~NOTFOUND`,
        '--disable-quic',
        '--disable-gpu',
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ],
    });
    return {
      context,
      close: async () => {
        await context.close();
        await removeProfile();
      },
    };
  } catch (error) {
    await removeProfile();
    throw error;
  }
}
