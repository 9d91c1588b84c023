// Pictures as an archive has them: tiled pyramids of many megapixels, in TIFF.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';

// Ink on blue by the artists of Debian 8: a drawing in vectors, sharp at any size.
const DRAWING = '/usr/share/desktop-base/joy-inksplat-theme/wallpaper/contents/images/3840x2160.svg';
const SCALE = 2.5;

/** The size of the pictures that `paintPictures` makes. */
export const SIZE = { width: 9600, height: 5400 };

/**
 * 52 megapixels each: `open.tif` and `reader.tif`, the second one upside down and in other colours,
 * so that no tile of one is a tile of the other.
 */
export function paintPictures(folder) {
  if (!existsSync(DRAWING)) {
    throw new Error(`${DRAWING} is not there: apt-get install desktop-base`);
  }
  const sheet = join(folder, 'sheet.v');
  const flat = join(folder, 'flat.v');
  const other = join(folder, 'other.v');
  vips('svgload', DRAWING, sheet, '--scale', String(SCALE));
  vips('flatten', sheet, flat);
  pyramid(flat, join(folder, 'open.tif'));
  vips('invert', flat, other);
  vips('rot', other, sheet, 'd180');
  pyramid(sheet, join(folder, 'reader.tif'));
  execFileSync('rm', [sheet, flat, other]);
}

/** A picture of 256 by 192 pixels of one grey, from 0 to 255. */
export function swatch(folder, name, grey) {
  const [black, file] = [join(folder, `${name}-0.v`), join(folder, `${name}.v`)];
  vips('black', black, '256', '192', '--bands', '3');
  vips('linear', black, file, '1', String(grey), '--uchar');
  return file;
}

/** A pyramid of any picture; `options` go to `vips tiffsave`. */
export function pyramid(from, to, options = ['--compression', 'jpeg']) {
  vips('tiffsave', from, to, '--tile', '--pyramid', '--tile-width', '256', '--tile-height', '256', ...options);
}

const vips = (...args) => execFileSync(program('vips'), args, { stdio: 'pipe' });
