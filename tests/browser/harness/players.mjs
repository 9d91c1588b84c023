// Pages on the viewer site that read content by script, with the cookie: a player of HLS, and
// OpenSeadragon. The tests drive them through `window.player`.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { html, script } from './static-files.mjs';

const library = (path) => readFile(fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url)));

const page = (name, body) => html(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>${name}</title>
<script src="/players/${name}.js"></script>
${body}
</html>
`);

// As its documentation says. `player` resolves to what came of it.
const hls = `
<audio controls></audio>
<script>
  window.player = (url, withCredentials) => new Promise((resolve) => {
    const audio = document.querySelector('audio');
    const hls = new Hls({ enableWorker: false, xhrSetup: (xhr) => { xhr.withCredentials = withCredentials; } });
    const end = (what) => { hls.destroy(); resolve(what); };
    hls.on(Hls.Events.ERROR, (_, { fatal, details, response }) => {
      if (fatal) end({ failed: details, status: response?.code });
    });
    audio.muted = true;
    audio.addEventListener('timeupdate', () => {
      if (audio.currentTime > 0.3) end({ played: audio.currentTime, duration: audio.duration });
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => { audio.play(); });
    hls.loadSource(url);
    hls.attachMedia(audio);
  });
</script>`;

const openseadragon = `
<style>#picture { width: 800px; height: 600px }</style>
<div id="picture"></div>
<script>
  window.player = (url, withCredentials = true) => new Promise((resolve) => {
    document.querySelector('#picture').replaceChildren();
    const viewer = OpenSeadragon({
      id: 'picture', tileSources: url, showNavigationControl: false, drawer: 'canvas',
      loadTilesWithAjax: true, ajaxWithCredentials: withCredentials,
      crossOriginPolicy: withCredentials ? 'use-credentials' : 'Anonymous',
    });
    viewer.addHandler('open-failed', () => resolve({ failed: 'open' }));
    viewer.addHandler('tile-load-failed', () => resolve({ failed: 'tile' }));
    viewer.addHandler('tile-loaded', () => {
      // A canvas that holds what the page may not read says so.
      setTimeout(() => {
        const canvas = document.querySelector('#picture canvas');
        resolve({ read: canvas.getContext('2d').getImageData(0, 0, 1, 1).data.length });
      }, 500);
    });
  });
</script>`;

export async function playerFiles() {
  return new Map([
    ['/players/hls/', page('hls', hls)],
    ['/players/hls.js', script(await library('hls.js/dist/hls.min.js'))],
    ['/players/openseadragon/', page('openseadragon', openseadragon)],
    ['/players/openseadragon.js', script(await library('openseadragon/build/openseadragon/openseadragon.min.js'))],
  ]);
}

/** Opens a player's page, and hands out what a person sees come of playing a URL there. */
export async function openPlayer(visit, name, site = visit.stage.viewers) {
  const page = await visit.context.newPage();
  await page.goto(`${site}/players/${name}/`);
  return { page, play: (...args) => page.evaluate((args) => window.player(...args), args) };
}
