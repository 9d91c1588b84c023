// Mirador, in any build that comes as one script: the stock one or an institution's.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { html, script } from '../static-files.mjs';
import { both, isImage, isToken } from '../traffic.mjs';
import { sleep } from '../wait.mjs';

const PACKAGES = fileURLToPath(new URL('../../node_modules', import.meta.url));

const page = (name) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Mirador</title>
<style>body { margin: 0 } #viewer { position: absolute; inset: 0 }</style>
<div id="viewer"></div>
<script src="/${name}/mirador.js"></script>
<script>
  Mirador.viewer({
    id: 'viewer',
    language: 'en',
    windows: [{ manifestId: new URLSearchParams(location.search).get('manifest') }],
    window: { sideBarOpen: false, allowClose: false },
    workspaceControlPanel: { enabled: false },
  });
</script>
</html>
`;

/** The bar with the padlock, where everything about logging in and out happens. */
const bar = (page) => page.locator('.MuiPaper-root:has(> * > [data-testid="LockSharpIcon"])');

const viewerArea = (page) => page.locator('.openseadragon-canvas').first();

export const mirador = ({ name, module, probesImages }) => ({
  name,
  probesImages,

  files: async () =>
    new Map([
      [`/${name}/`, html(page(name))],
      [`/${name}/mirador.js`, script(await readFile(join(PACKAGES, module, 'dist', 'mirador.min.js')))],
    ]),

  path: (manifest) => `/${name}/?manifest=${encodeURIComponent(manifest)}`,

  picture: viewerArea,
  loginButton: (page) => bar(page).getByRole('button', { name: /^log ?in$/i }),
  // In the same bar, with the label of the logout service as its text.
  logoutButton: (page) => bar(page).getByRole('button', { name: /^(?!log ?in$|retry$)/i }),

  // Columbia's build has a bar with "Retry" for this and never gets there: taking note of the failed
  // login, it marks the token as being fetched again, and goes on offering the login. So a person
  // sees that nothing happened and can try again, but not why.
  loginFailed: async (visit, page) => {
    await visit.seen(isToken, 'a token request');
    await sleep(500);
    await bar(page).getByRole('button', { name: /^(log ?in|retry)$/i }).waitFor();
  },

  // It knows nothing of a refusal but the tiles that do not come: headings and notes are not shown.
  refused: (visit, page, id) =>
    visit.seen(both(isImage(id), (entry) => entry.status === 403), 'a tile with status 403'),

  // What the build writes to the console by itself, whatever the server does.
  noise: [
    /Accessing element\.ref was removed in React 19/,
    /Tile %s failed to load/, // OpenSeadragon, for each refused tile
  ],

  // Mirador draws the restricted picture at once, takes note of every tile that was refused, and
  // does not ask for those again after the login. Going closer makes it ask for others. The first
  // of them to arrive may throw it back to the whole picture, of which it has no tile; so a person
  // sees nothing again and goes closer again. By the wheel: its button does nothing for ever when it
  // is pressed before the picture has come to rest.
  nudge: async (page) => {
    await viewerArea(page).hover();
    await page.mouse.wheel(0, -240);
  },
});

/**
 * The same with Authentication 1.0 and 0.9: the bar has the service's header and description behind
 * "Continue", and the button below them.
 */
export const olderMirador = (options) => {
  const viewer = mirador(options);
  const loginButton = (page) => bar(page).locator('.MuiDialogActions-root button').last();
  const unfold = async (page) => {
    await bar(page).getByText('Continue', { exact: true }).click();
    await loginButton(page).waitFor();
  };
  return {
    ...viewer,
    loginButton,
    unfold,

    // As with 2.0, a person sees that nothing happened, but not why: the bar is as it was.
    loginFailed: async (visit, page) => {
      await visit.seen(isToken, 'a token request');
      await sleep(500);
      await bar(page).getByText('Continue', { exact: true }).waitFor();
    },
    again: unfold,

    // It goes on with the tiles of the smaller picture until the picture is opened anew.
    comeBack: async (page) => {
      for (const view of ['Gallery', 'Single']) {
        await page.getByRole('button', { name: /^window views/i }).click();
        await page.getByRole('menuitemradio', { name: view }).click();
      }
    },

    // It has a token, and tiles that do not come.
    refused: async (visit, page) => {
      await viewer.logoutButton(page).waitFor();
      await visit.assertBlank(viewer.picture(page));
    },
  };
};
