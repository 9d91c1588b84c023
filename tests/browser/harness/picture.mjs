// Is there a picture on the screen? A screenshot is counted, because requests that succeeded do not
// prove that anything was painted.

import { PNG } from 'pngjs';

/**
 * Colours of a screenshot, rounded to 4 bits a channel so that smooth edges of letters and buttons
 * do not count as a picture: how many there are, and the share of the most frequent one.
 */
export function coloursOf(png) {
  const { data } = PNG.sync.read(png);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = ((data[i] >> 4) << 8) | ((data[i + 1] >> 4) << 4) | (data[i + 2] >> 4);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return {
    distinct: counts.size,
    largestShare: Math.max(...counts.values()) / (data.length / 4),
  };
}

// A viewer's empty stage shows a handful of colours, any of the quickstart's pictures far more.
const PICTURE = 40;

export const isPicture = ({ distinct, largestShare }) => distinct >= PICTURE && largestShare < 0.9;
export const isBlank = ({ distinct }) => distinct < PICTURE;
export const describe = ({ distinct, largestShare }) =>
  `${distinct} colours, the most frequent on ${Math.round(largestShare * 100)} % of the area`;
