// CanvasPanel of react-iiif-vault. The library paints the picture and runs the flow; the page
// around it has the buttons, as every page that embeds it does.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { html, script } from '../static-files.mjs';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>CanvasPanel</title>
<style>
  body { margin: 0; font: 16px sans-serif }
  #bar { display: flex; gap: 1em; align-items: center; min-height: 2.5em; padding: 0 1em }
  .atlas-container { height: 700px }
</style>
<div id="root"></div>
<script src="/canvas-panel/page.js"></script>
</html>
`;

async function bundle() {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./canvas-panel.jsx', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  return result.outputFiles[0].text;
}

export const canvasPanel = {
  name: 'canvas-panel',
  probesImages: true,

  files: async () =>
    new Map([
      ['/canvas-panel/', html(page)],
      ['/canvas-panel/page.js', script(await bundle())],
    ]),

  path: (manifest) => `/canvas-panel/?manifest=${encodeURIComponent(manifest)}`,

  picture: (page) => page.locator('.atlas-container'),
  loginButton: (page) => page.locator('#login'),
  logoutButton: (page) => page.locator('#logout'),
  loginFailed: (visit, page) => page.locator('#error').waitFor(),

  // A probe that says 403 is an "Unknown error" to it, and the heading of the result is lost.
  refused: (visit, page) => page.getByText('Unknown error').waitFor(),

  noise: [],

  // It loads the tiles by itself as soon as the probe says 200.
  nudge: async () => {},
};
