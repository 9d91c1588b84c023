// The flow in engines other than Chromium's: what arrives, and by which cookie. Prints a table of what
// was seen.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FIREFOX, WEBKIT } from './cases.mjs';
import * as firefox from './firefox.mjs';
import * as person from './person.mjs';
import { setEnginesStage } from './stage.mjs';
import * as webkit from './webkit.mjs';

const rows = [];

for (const handOff of [false, true]) {
  describe(`hand-off ${handOff ? 'on' : 'off'}`, () => {
    let set;
    before(async () => {
      if (firefox.executable || webkit.executable) set = await setEnginesStage({ handOff });
    });
    after(() => set?.strike());
    for (const [name, engine, cases] of [['Firefox', firefox, FIREFOX], ['WebKitGTK', webkit, WEBKIT]]) {
      const skip = engine.executable ? false : `${name} is not installed: nothing was tried in it`;
      for (const { setting, launch, steps, expected } of cases.filter((one) => one.handOff === handOff)) {
        test(`${name} ${setting}: ${steps.join(', ')}`, { skip }, async () => {
          const browser = await engine.launch({ names: set.names, ...launch });
          const mark = set.stage.traffic.mark();
          try {
            const seen = await go({ browser, stage: set.stage }, steps, (step, look) =>
              rows.push([name, browser.version, setting, handOff ? 'on' : 'off', step, ...cells(look)]));
            assert.deepEqual(seen, { ...expected, 'log-out': false });
          } catch (error) {
            console.error(`requests to the image server:\n${set.stage.traffic.print(mark)}`);
            throw error;
          } finally {
            await browser.close();
          }
        });
      }
    }
  });
}

after(() => {
  const head = ['engine', 'version', 'setting', 'hand-off', 'step', 'token', 'tile', 'cookies with the tile', 'storage access'];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'));
});

/** Takes the steps, then logs out; what was seen after each that looks. */
async function go(visit, steps, tell) {
  const seen = {};
  let page = steps[0] === 'login elsewhere' ? null : await person.openViewer(visit);
  for (const step of steps) {
    let look;
    if (step === 'login elsewhere') {
      await person.logInElsewhere(visit);
      page = await person.openViewer(visit);
    } else if (step === 'grant page') {
      assert.deepEqual(await person.grant(visit, page), { granted: true });
    } else {
      if (step === 'reload' || step === 'login again') page = await person.openViewer(visit);
      look = await (step.startsWith('login') ? person.logIn : person.look)(visit, page);
      tell(step, look);
      seen[step] = summary(look);
    }
  }
  // Whatever went along before, the session is dead on the server.
  const { tile } = await person.logOut(visit, page);
  seen['log-out'] = tile.shown;
  tell('log-out', { tile });
  return seen;
}

function summary({ token, probe, tile }) {
  assert.equal(probe === 200, token.type === 'AuthAccessToken2', 'the probe says what the token service said');
  return {
    token: token.type === 'AuthAccessToken2' ? true : token.profile,
    tile: tile.shown,
    by: tile.requests.at(-1).cookies,
  };
}

function cells({ token, tile }) {
  const unlessNone = (list) => list.filter((one) => one !== '-').join(', then ') || '–';
  return [
    token ? `${token.profile ?? 'yes'}, ${token.ms} ms` : '–',
    tile.shown ? 'shown' : `refused (${tile.requests.at(-1).status})`,
    tile.requests.at(-1).cookies.map((name) => `\`${name}\``).join(', ') || 'none',
    unlessNone([...(token?.requests ?? []), ...tile.requests].map((request) => request.storageAccess)),
  ];
}
