// The geometry of an image service: which tiles there are, and their URIs.

/**
 * Reads info.json into `{ width, height, levels }`, finest level first. A
 * level with scale 4 shows the picture at a quarter of its size.
 */
export function pyramid(info, service) {
  const { width, height } = info;
  const { width: tileWidth, height: tileHeight = tileWidth, scaleFactors } = info.tiles?.[0] ?? {
    width: width,
    height: height,
    scaleFactors: [1],
  };
  const format = ["jpg", "png", "webp"].find((known) => info.preferredFormats?.includes(known)) ?? "jpg";
  const levels = [...scaleFactors]
    .sort((a, b) => a - b)
    .map((scale) => ({
      scale,
      columns: Math.ceil(width / (tileWidth * scale)),
      rows: Math.ceil(height / (tileHeight * scale)),
      tile(column, row) {
        const x = column * tileWidth * scale;
        const y = row * tileHeight * scale;
        const w = Math.min(tileWidth * scale, width - x);
        const h = Math.min(tileHeight * scale, height - y);
        const all = w === width && h === height;
        const region = all ? "full" : `${x},${y},${w},${h}`;
        const size = all && scale === 1 ? "max" : `${Math.ceil(w / scale)},${Math.ceil(h / scale)}`;
        return { x, y, w, h, url: `${service}/${region}/${size}/0/default.${format}` };
      },
    }));
  return { width, height, levels };
}

/** A plain picture without a service is one tile. */
export function single(content) {
  const { width = 1000, height = 1000, id: url } = content;
  const tile = () => ({ x: 0, y: 0, w: picture.width, h: picture.height, url });
  const picture = { width, height, levels: [{ scale: 1, columns: 1, rows: 1, tile }], sizeUnknown: !content.width };
  return picture;
}
