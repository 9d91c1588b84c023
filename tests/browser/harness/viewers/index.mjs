// The table of viewers. A viewer is an object with
//
//   name                the folder on the site it stands on, and what VIEWERS= selects it by
//   site                where it stands: `viewers`, or `library` if it has to be the image server's own
//   bases               the bases of pictures it is tested with, by their last segments
//   probesImages        does it call the probe service of an image?
//   files()             what its site has to serve for it: path → { type, body }
//   path(manifest)      its page, showing the first canvas of that manifest
//   picture(page)       the part of the page the image is painted in
//   unfold(page)        what a person does to get to the login button
//   loginButton(page)   what a person clicks to log in
//   logoutButton(page)  and to log out, if it can
//   loginFailed(visit, page)  waits for what tells that logging in did not work
//   again(page)         what a person does then to get to the login button
//   comeBack(page)      what a person does who is logged in and still sees the smaller picture
//   refused(visit, page, id)  waits for what tells that the login is good but the picture not granted
//   noise               console errors that are the viewer's own (patterns)
//   nudge(page)         what a person does who is logged in and still sees nothing
//
// To test another viewer: add its package to package.json, a module here, and a line below.

import { canvasPanel } from './canvas-panel.mjs';
import { mirador, olderMirador } from './mirador.mjs';
import { universalViewer } from './universal-viewer.mjs';

const COLUMBIA = { name: 'columbia-mirador', module: '@columbia-libraries/mirador', probesImages: true };

/** Those that speak 2.0. */
const CURRENT = [mirador(COLUMBIA), canvasPanel];

/** Those that speak 1.0 and 0.9. */
const OLDER = [
  { ...olderMirador({ name: 'mirador', module: 'mirador' }), site: 'viewers', bases: ['2', '0.9'] },
  { ...olderMirador(COLUMBIA), site: 'viewers', bases: ['2'] },
  universalViewer,
];

/** Those that are tested where third-party cookies are blocked: each kind once. */
const BLOCKED = [...CURRENT, OLDER[0]];

/** All of them, or those that the environment variable VIEWERS names (separated by commas). */
export const chosenViewers = () => chosen(CURRENT);
export const chosenOlderViewers = () => chosen(OLDER);
export const chosenBlockedViewers = () => chosen(BLOCKED);

/** One of them, whatever VIEWERS says: where a test is about several together. */
export const currentViewer = (name) => named(CURRENT, name);
export const olderViewer = (name) => named(OLDER, name);

const named = (viewers, name) => viewers.find((viewer) => viewer.name === name);

function chosen(viewers) {
  const wanted = process.env.VIEWERS?.split(',').map((name) => name.trim());
  if (!wanted) return viewers;
  const known = new Set([...CURRENT, ...OLDER].map((viewer) => viewer.name));
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined) throw new Error(`no viewer called ${unknown}; there are ${[...known].join(', ')}`);
  return viewers.filter((viewer) => wanted.includes(viewer.name));
}

export async function filesOf(viewers) {
  const maps = await Promise.all(viewers.map((viewer) => viewer.files()));
  return new Map(maps.flatMap((map) => [...map]));
}
