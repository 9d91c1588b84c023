// The files of the example, as an operator would use them, with ports that are free here.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changed } from './guide.mjs';
import { REPOSITORY } from './proxy.mjs';

/** A file of the example in which each text of `changes` is put in place of its key. */
export const exampleFile = (path, changes) =>
  changed(readFileSync(join(REPOSITORY, 'proxy', path), 'utf8'), changes);
