// What the pages of the guide show, as it stands there.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './proxy.mjs';

const GUIDE = join(REPOSITORY, 'docs/guide');

export const guidePages = () => readdirSync(GUIDE).filter((name) => name.endsWith('.md'));

/** The blocks of a language on a page, in order. */
export function blocksOf(page, language) {
  const text = readFileSync(join(GUIDE, page), 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, name]) => name === language).map(([, , block]) => block);
}

/** A text in which each text of `changes` is put in place of its key; every one has to be there. */
export function changed(text, changes) {
  return Object.entries(changes).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`there is no ${JSON.stringify(from)} any more in\n${text}`);
    return result.replaceAll(from, String(to));
  }, text);
}
