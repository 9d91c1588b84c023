// The quickstart behind its TLS front on one site, the viewer on another, for browsers of any engine.

import { readFile } from 'node:fs/promises';
import { setStage } from '../harness/stage.mjs';
import { html, script } from '../harness/static-files.mjs';
import { startNames } from './names.mjs';
import { LIBRARY, VIEWER_SITE } from '../harness/stage.mjs';

const file = (name) => readFile(new URL(`viewer/${name}`, import.meta.url));

export async function setEnginesStage({ handOff }) {
  const files = new Map([
    ['/viewer/', html(await file('index.html'))],
    ['/viewer/viewer.js', script(await file('viewer.js'))],
  ]);
  const stage = await setStage({ files, handOff });
  const names = await startNames([LIBRARY, VIEWER_SITE]);
  return {
    stage,
    names,
    async strike() {
      names.close();
      await stage.strike();
    },
  };
}
