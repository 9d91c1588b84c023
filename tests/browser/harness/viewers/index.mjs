// The table of viewers. A viewer is an object with
//
//   name                the folder on the viewer site, and what VIEWERS= selects it by
//   probesImages        does it call the probe service of an image?
//   files()             what the viewer site has to serve for it: path → { type, body }
//   path(manifest)      its page, showing the first canvas of that manifest
//   picture(page)       the part of the page the image is painted in
//   loginButton(page)   what a person clicks to log in
//   logoutButton(page)  and to log out
//   loginFailed(visit, page)  waits for what tells that logging in did not work
//   refused(visit, page, id)  waits for what tells that the login is good but the picture not granted
//   noise               console errors that are the viewer's own (patterns)
//   nudge(page)         what a person does who is logged in and still sees nothing
//
// To test another viewer: add its package to package.json, a module here, and a line below.

import { canvasPanel } from './canvas-panel.mjs';
import { mirador } from './mirador.mjs';

const ALL = [
  mirador({ name: 'columbia-mirador', module: '@columbia-libraries/mirador', probesImages: false }),
  canvasPanel,
];

/** All of them, or those that the environment variable VIEWERS names (separated by commas). */
export function chosenViewers() {
  const wanted = process.env.VIEWERS?.split(',').map((name) => name.trim());
  if (!wanted) return ALL;
  return wanted.map((name) => {
    const viewer = ALL.find((viewer) => viewer.name === name);
    if (!viewer) throw new Error(`no viewer called ${name}; there are ${ALL.map((viewer) => viewer.name).join(', ')}`);
    return viewer;
  });
}

export async function filesOf(viewers) {
  const maps = await Promise.all(viewers.map((viewer) => viewer.files()));
  return new Map(maps.flatMap((map) => [...map]));
}
