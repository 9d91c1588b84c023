// Where the eye is: the point of the picture in the middle of the screen, and
// how large the picture is shown. Numbers only, nothing is drawn here.

const FILL = 0.96;

export class View {
  // Screen and picture, in CSS pixels and in pixels of the picture.
  screen = { width: 1, height: 1 };
  picture = { width: 1, height: 1 };
  now = { x: 0.5, y: 0.5, zoom: 1 };
  target = { ...this.now };

  get fit() {
    return FILL * Math.min(this.screen.width / this.picture.width, this.screen.height / this.picture.height);
  }

  reset() {
    this.target = { x: this.picture.width / 2, y: this.picture.height / 2, zoom: this.fit };
  }

  /** Jumps to where it is heading. */
  settle() {
    this.now = { ...this.target };
  }

  /** One frame of movement; false once it has arrived. */
  step(milliseconds) {
    const share = 1 - Math.exp(-milliseconds / 70);
    const { now, target } = this;
    // Zoom moves on a logarithmic scale, so that it feels even.
    now.zoom *= (target.zoom / now.zoom) ** share;
    now.x += (target.x - now.x) * share;
    now.y += (target.y - now.y) * share;
    const near = Math.abs(target.zoom / now.zoom - 1) < 0.001;
    const far = Math.hypot(target.x - now.x, target.y - now.y) * now.zoom;
    if (!near || far > 0.2) return true;
    this.settle();
    return false;
  }

  /** Moves by CSS pixels. */
  pan(dx, dy) {
    this.target.x += dx / this.target.zoom;
    this.target.y += dy / this.target.zoom;
    this.#clamp();
  }

  /** Zooms, and keeps the point of the picture under (`x`, `y`) in place. */
  zoom(factor, x = this.screen.width / 2, y = this.screen.height / 2) {
    const { target, fit } = this;
    const most = Math.max(4, fit * 4);
    const zoom = Math.min(most, Math.max(fit, target.zoom * factor));
    const [fromX, fromY] = [x - this.screen.width / 2, y - this.screen.height / 2];
    target.x += fromX / target.zoom - fromX / zoom;
    target.y += fromY / target.zoom - fromY / zoom;
    target.zoom = zoom;
    this.#clamp();
  }

  /** Takes a new screen size: what filled the screen still fills it. */
  resize(width, height) {
    const whole = this.target.zoom <= this.fit * 1.001;
    this.screen = { width, height };
    if (whole) this.reset();
    else this.zoom(1);
    this.settle();
  }

  #clamp() {
    const bound = (value, length, seen) =>
      seen >= length ? length / 2 : Math.min(length - seen / 2, Math.max(seen / 2, value));
    const { target, picture, screen } = this;
    target.x = bound(target.x, picture.width, screen.width / target.zoom);
    target.y = bound(target.y, picture.height, screen.height / target.zoom);
  }

  /** The part of the picture on the screen, in pixels of the picture. */
  window({ x, y, zoom } = this.now) {
    const [w, h] = [this.screen.width / zoom, this.screen.height / zoom];
    return { left: x - w / 2, top: y - h / 2, right: x + w / 2, bottom: y + h / 2 };
  }
}
