// Universal Viewer. It asks for its tiles without cookies wherever they are on another origin, so
// it stands on the image server's own.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { css, html, script } from '../static-files.mjs';
import { isToken } from '../traffic.mjs';

const DIST = fileURLToPath(new URL('../../node_modules/universalviewer/dist', import.meta.url));
const ROOT = '/universal-viewer';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${ROOT}/uv.css">
<title>Universal Viewer</title>
<style>body { margin: 0 } #uv { width: 1200px; height: 800px }</style>
<div id="uv" class="uv"></div>
<script src="${ROOT}/umd/UV.js"></script>
<script>
  UV.init('uv', { manifest: new URLSearchParams(location.search).get('manifest') });
</script>
</html>
`;

export const universalViewer = {
  name: 'universal-viewer',
  site: 'library',
  bases: ['2'],

  files: async () => {
    const chunks = (await readdir(join(DIST, 'umd'))).filter((name) => name.endsWith('.js'));
    return new Map([
      [`${ROOT}/`, html(page)],
      [`${ROOT}/uv.css`, css(await readFile(join(DIST, 'uv.css')))],
      ...await Promise.all(chunks.map(async (name) =>
        [`${ROOT}/umd/${name}`, script(await readFile(join(DIST, 'umd', name)))])),
    ]);
  },

  path: (manifest) => `${ROOT}/?manifest=${encodeURIComponent(manifest)}`,

  picture: (page) => page.locator('.openseadragon-canvas').first(),

  // A dialogue over everything, or a bar above the smaller picture.
  loginButton: (page) => page.locator('.overlay a.confirm:visible, .informationBox a:visible').first(),
  unfold: async () => {},

  loginFailed: async (visit, page) => {
    await visit.seen(isToken, 'a token request');
    await failure(page).waitFor();
  },

  // It has no button for a second try. It keeps the error as if it were a token, and sends
  // `Bearer undefined` from then on.
  again: async (page) => {
    await page.reload();
    await universalViewer.loginButton(page).waitFor();
  },

  comeBack: async () => {},

  refused: (visit, page) => failure(page).waitFor(),

  noise: [
    // It takes the data URI of an empty picture for the name of a file.
    /status of 40[04] .*\/images\/data:image\/gif/,
  ],

  nudge: async () => {},
};

const failure = (page) => page.locator('.genericDialogue').getByText('did not appear to be successful');
