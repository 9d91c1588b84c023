// What Ramp reads of a manifest with sound: services in full wherever they stand, and texts that are
// language maps.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { goOn, logIn, logInUpToTheClick, logInWithHelper } from './harness/access-window.mjs';
import { openRamp, rampFiles } from './harness/ramp.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isImage, isToken } from './harness/traffic.mjs';
import { until } from './harness/wait.mjs';

const stages = {};
before(async () => {
  stages.plain = await setStage({ files: rampFiles() });
  stages.handOff = await setStage({ files: rampFiles(), handOff: true });
});
after(() => Promise.all(Object.values(stages).map((stage) => stage.strike())));

const isRecording = (entry) => entry.path === '/files/recording.wav';
// The one manifest of everything: the recording is the second that declares the login.
for (const [name, thirdPartyCookies, which, expected] of [
  ['cookies allowed', 'allow', 'plain', 2],
  ['cookies allowed, hand-off on', 'allow', 'handOff', 2],
  ['cookies blocked, hand-off on', 'block', 'handOff', 2],
  ["cookies blocked, hand-off on, a login page without the hand-off's script", 'block', 'handOff', 3],
]) {
  test(name, () => stages[which].visit(`ramp ${name}`, { thirdPartyCookies }, async (visit) => {
    const stage = stages[which];
    const ramp = await openRamp(visit, `${stage.library}/manifests/all.json`, 8);
    let clicks = 0;
    await visit.step('locked', ramp.page, async () => {
      assert.equal(ramp.items, 10, 'every canvas was read');
      assert.match(await ramp.message.innerText(), /^\S.*: \S/, 'heading and note');
      assert.match(await ramp.login.innerText(), /\S/);
    });
    const open = () => { clicks += 1; return ramp.login.click(); };
    if (expected === 3) {
      const window = await logInUpToTheClick(visit, ramp.page, open, 'reader', 'reader');
      await goOn(visit, window);
      clicks += 2;
    } else {
      await (which === 'handOff' ? logInWithHelper : logIn)(visit, ramp.page, open, 'reader', 'reader');
      clicks += 1;
    }
    await visit.step('plays', ramp.page, async () => {
      await until(async () => (await ramp.message.innerText()) === 'granted', 'the grant');
      await until(ramp.playing, 'sound');
      await visit.seen(both(isRecording, granted), 'the recording');
      assert.equal(clicks, expected, 'clicks from locked to open');
    });
  }));
}

// Its second item is the first that needs the login.
for (const [name, thirdPartyCookies, which] of [
  ['services on bodies, cookies allowed', 'allow', 'plain'],
  ['services on bodies, cookies blocked, hand-off on', 'block', 'handOff'],
]) {
  test(name, () => stages[which].visit(name, { thirdPartyCookies }, async (visit) => {
    const stage = stages[which];
    const viewer = await openRamp(visit, `${stage.library}/manifests/all.json`, 2);
    if (which === 'handOff') {
      const window = await logInUpToTheClick(visit, viewer.page, () => viewer.login.click(), 'reader', 'reader');
      await goOn(visit, window);
    } else {
      await logIn(visit, viewer.page, () => viewer.login.click(), 'reader', 'reader');
    }
    await visit.step('shown', viewer.page, async () => {
      await until(async () => (await viewer.message.innerText()) === 'granted', 'the grant');
      await visit.seen(both(isImage('reader'), granted), 'the picture');
      await visit.assertPicture(viewer.picture);
    });
  }));
}

test('cookies blocked', () => stages.plain.visit('ramp blocked', { thirdPartyCookies: 'block' }, async (visit) => {
  const ramp = await openRamp(visit, `${stages.plain.library}/manifests/recording.json`, 0);
  await logIn(visit, ramp.page, () => ramp.login.click(), 'reader', 'reader');
  await visit.step('told', ramp.page, async () => {
    await visit.seen(isToken, 'the token service');
    // Its texts are language maps: what is shown is words.
    await until(async () => /^Error: \S.*: \S/.test(await ramp.message.innerText()), 'heading and note of the error');
    visit.never(both(isRecording, granted), 'no sound');
  });
}));
