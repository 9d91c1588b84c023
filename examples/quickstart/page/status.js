// The HTTP status of a picture. An <img> only says "loaded" or "failed", but
// the browser's own record of its requests knows more.

const WAIT = 400;
const seen = new Map();
const waiting = new Map();

new PerformanceObserver((list) => {
  for (const { name, responseStatus, initiatorType } of list.getEntries()) {
    if (initiatorType !== "img") continue;
    seen.set(name, responseStatus ?? 0);
    waiting.get(name)?.();
  }
}).observe({ type: "resource" });

/** Call it before a request, so that no earlier answer is taken for its own. */
export function expect(url) {
  seen.delete(url);
}

/** The status of the picture just loaded from `url`; 0 when it is not known. */
export async function statusOf(url) {
  if (!seen.has(url)) {
    await new Promise((resolve) => {
      waiting.set(url, resolve);
      setTimeout(resolve, WAIT);
    });
    waiting.delete(url);
  }
  return seen.get(url) ?? 0;
}
