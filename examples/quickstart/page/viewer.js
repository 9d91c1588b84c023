// A small deep-zoom viewer: tiles on a canvas.

import { hands } from "./hands.js";
import { expect, statusOf } from "./status.js";
import { View } from "./view.js";

const KEPT = 240;

export class Viewer {
  #root;
  #canvas;
  #pen;
  #view = new View();
  #source = null;
  #tiles = new Map();
  #frame = 0;
  #last = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** Hears of each tile that came or failed: `({ url, ok, status })`. */
  ontile = () => {};

  constructor(root) {
    this.#root = root;
    this.#canvas = root.querySelector("canvas");
    this.#pen = this.#canvas.getContext("2d");
    new ResizeObserver(() => this.#measure()).observe(root);
    hands(root, this.#canvas, {
      pan: (dx, dy, at) => this.#move(() => this.#view.pan(dx, dy), at),
      zoom: (factor, x, y, at) => this.#move(() => this.#view.zoom(factor, x, y), at),
      reset: () => this.#move(() => this.#view.reset()),
    });
    this.close();
  }

  /** Shows a picture: what `pyramid` or `single` returned. */
  open(source, name) {
    this.close();
    this.#source = source;
    this.#root.tabIndex = 0;
    this.#root.setAttribute("aria-label", name);
    this.#view.picture = source;
    this.#measure();
    this.#view.reset();
    this.#view.settle();
    this.#draw();
  }

  /** Empties the screen and forgets every tile. */
  close() {
    for (const tile of this.#tiles.values()) {
      tile.image.onload = tile.image.onerror = null;
      // Nothing that was asked for the last picture needs to arrive any more.
      if (tile.state === "asked") tile.image.src = "";
    }
    this.#tiles.clear();
    this.#source = null;
    this.#root.removeAttribute("tabindex");
    this.#root.setAttribute("aria-label", "No picture");
    this.#root.dataset.tilesOk = this.#root.dataset.tilesFailed = "0";
    this.#draw();
  }

  zoom(factor) {
    this.#move(() => this.#view.zoom(factor));
  }

  reset() {
    this.#move(() => this.#view.reset());
  }

  focus() {
    this.#root.focus({ preventScroll: true });
  }

  #move(change, { smooth = true } = {}) {
    if (!this.#source) return;
    change();
    if (!smooth || this.#calm.matches) this.#view.settle();
    this.#draw();
  }

  #measure() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (width === 0 || height === 0) return;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#view.resize(width, height);
    // Setting the size wipes the canvas: paint at once, or it flickers.
    this.#paint();
  }

  #draw() {
    if (this.#frame) return;
    this.#last = performance.now();
    const turn = (time) => {
      // The layout may have changed since the last measuring without the observer being told.
      const { clientWidth: width, clientHeight: height } = this.#root;
      const { screen } = this.#view;
      if (width !== screen.width || height !== screen.height) this.#measure();
      const moving = this.#source && this.#view.step(Math.min(50, time - this.#last));
      this.#last = time;
      this.#frame = moving ? requestAnimationFrame(turn) : 0;
      this.#paint();
    };
    this.#frame = requestAnimationFrame(turn);
  }

  #paint() {
    const pen = this.#pen;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (!this.#source) return;

    const { now, target } = this.#view;
    const { levels } = this.#source;
    const ratio = this.#canvas.width / this.#view.screen.width;
    const sharp = levels.findLastIndex((level) => level.scale * target.zoom * ratio <= 1.25);
    const level = levels[Math.max(0, sharp)];
    // The coarsest level lies below, so that there is always something to see.
    for (const needed of new Set([levels.at(-1), level])) this.#ask(needed, this.#view.window(target));

    const { left, top } = this.#view.window(now);
    const scale = now.zoom * ratio;
    const across = (x) => Math.round((x - left) * scale);
    const down = (y) => Math.round((y - top) * scale);
    for (const tile of this.#below(level)) {
      const [x, y] = [across(tile.x), down(tile.y)];
      const [w, h] = [across(tile.x + tile.w) - x, down(tile.y + tile.h) - y];
      if (tile.state === "ok") pen.drawImage(tile.image, x, y, w, h);
      else if (tile.state === "failed") this.#strike(tile, x, y, w, h, ratio);
    }
  }

  /** Tiles to paint, coarse ones first; finer than needed is left out. */
  #below(level) {
    const { left, top, right, bottom } = this.#view.window();
    return [...this.#tiles.values()]
      .filter((tile) => tile.scale >= level.scale)
      .filter((tile) => tile.x < right && tile.x + tile.w > left && tile.y < bottom && tile.y + tile.h > top)
      .sort((a, b) => b.scale - a.scale);
  }

  #ask(level, { left, top, right, bottom }) {
    const first = level.tile(0, 0);
    const range = (from, to, length, count) => [
      Math.max(0, Math.floor(from / length)),
      Math.min(count - 1, Math.floor(to / length)),
    ];
    const [startColumn, endColumn] = range(left, right, first.w, level.columns);
    const [startRow, endRow] = range(top, bottom, first.h, level.rows);
    for (let row = startRow; row <= endRow; row++) {
      for (let column = startColumn; column <= endColumn; column++) this.#load(level, column, row);
    }
  }

  #load(level, column, row) {
    const place = level.tile(column, row);
    const known = this.#tiles.get(place.url);
    if (known) {
      // Used again: back to the end of the queue for eviction.
      this.#tiles.delete(place.url);
      this.#tiles.set(place.url, known);
      return;
    }
    // A plain <img>, as every viewer loads tiles: no script adds a token to
    // it, so only the cookie (or the address, …) can open the picture.
    const image = new Image();
    const tile = { ...place, scale: level.scale, image, state: "asked", status: 0 };
    image.onload = () => this.#arrived(tile, true);
    image.onerror = () => this.#arrived(tile, false);
    expect(place.url);
    image.src = place.url;
    this.#tiles.set(place.url, tile);
    this.#evict();
  }

  async #arrived(tile, ok) {
    // No second try: a refusal is an answer.
    tile.state = ok ? "ok" : "failed";
    const counter = ok ? "tilesOk" : "tilesFailed";
    this.#root.dataset[counter] = Number(this.#root.dataset[counter]) + 1;
    if (ok && this.#source.sizeUnknown) this.#learnSize(tile);
    this.#draw();
    tile.status = await statusOf(tile.url);
    // The viewer may have gone on to another picture meanwhile.
    if (this.#tiles.get(tile.url) !== tile) return;
    this.ontile({ url: tile.url, ok, status: tile.status });
    if (!ok) this.#draw();
  }

  #learnSize(tile) {
    const source = this.#source;
    [source.width, source.height] = [tile.image.naturalWidth, tile.image.naturalHeight];
    [tile.w, tile.h] = [source.width, source.height];
    source.sizeUnknown = false;
    this.#view.reset();
    this.#view.settle();
  }

  #evict() {
    for (const [url, tile] of this.#tiles) {
      if (this.#tiles.size <= KEPT) return;
      if (tile.state === "ok") this.#tiles.delete(url);
    }
  }

  /** A tile that did not come is shown as such, with its status. */
  #strike(tile, x, y, w, h, ratio) {
    const pen = this.#pen;
    pen.save();
    pen.beginPath();
    pen.rect(x, y, w, h);
    pen.clip();
    pen.fillStyle = "#352c28";
    pen.fillRect(x, y, w, h);
    pen.strokeStyle = "#57453d";
    pen.lineWidth = ratio;
    pen.beginPath();
    for (let offset = -h; offset < w; offset += 14 * ratio) {
      pen.moveTo(x + offset, y + h);
      pen.lineTo(x + offset + h, y);
    }
    pen.stroke();
    pen.strokeRect(x, y, w, h);
    const text = tile.status ? String(tile.status) : "failed";
    const size = Math.max(9 * ratio, Math.min(w / 5, h / 3, 26 * ratio));
    pen.font = `600 ${size}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = "#e6c3b2";
    pen.fillText(text, x + w / 2, y + h / 2);
    pen.restore();
  }
}
