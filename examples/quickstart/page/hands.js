// Mouse, touch, trackpad and keys, turned into panning and zooming.

const AT_ONCE = { smooth: false };
const STRIDE = 90;

export function hands(root, canvas, { pan, zoom, reset }) {
  const pointers = new Map();
  const spot = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, spot(event));
    canvas.toggleAttribute("data-held", true);
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const after = spot(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = (one) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
      const [x, y] = [(after.x + other.x) / 2, (after.y + other.y) / 2];
      // Two fingers move the picture by what their midpoint moves.
      pan((before.x - after.x) / 2, (before.y - after.y) / 2, AT_ONCE);
      zoom(spread(after) / spread(before), x, y, AT_ONCE);
    } else {
      pan(before.x - after.x, before.y - after.y, AT_ONCE);
    }
    pointers.set(event.pointerId, after);
  });

  const release = (event) => {
    pointers.delete(event.pointerId);
    canvas.toggleAttribute("data-held", pointers.size > 0);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);

  canvas.addEventListener("dblclick", (event) => {
    const { x, y } = spot(event);
    zoom(event.shiftKey ? 0.5 : 2, x, y);
  });

  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!root.hasAttribute("tabindex")) return;
      event.preventDefault();
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * 30;
      const { x, y } = spot(event);
      // A pinch on a trackpad comes as a small wheel turn with ctrlKey.
      zoom(Math.exp(-pixels * (event.ctrlKey ? 0.012 : 0.0022)), x, y);
    },
    { passive: false },
  );

  const keys = {
    "+": () => zoom(1.5),
    "=": () => zoom(1.5),
    "-": () => zoom(1 / 1.5),
    _: () => zoom(1 / 1.5),
    0: () => reset(),
    ArrowLeft: () => pan(-STRIDE, 0),
    ArrowRight: () => pan(STRIDE, 0),
    ArrowUp: () => pan(0, -STRIDE),
    ArrowDown: () => pan(0, STRIDE),
  };
  root.addEventListener("keydown", (event) => {
    if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
