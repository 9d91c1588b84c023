// The windows of the access and logout services. What happens in them is
// none of the viewer's business; it only learns when they are closed.

/** The address to open: the service's own, told which origin is asking. */
export function windowUrl(service) {
  const url = new URL(service.id);
  url.searchParams.set("origin", location.origin);
  return url.href;
}

/** Opens a window. Call it straight from a click, or the browser blocks it. */
export function openWindow(url) {
  return open(url, "_blank", "popup,width=560,height=720");
}

/**
 * Waits until the window is closed: resolves to "closed", to "impatient" when
 * `signal` fires first, to "timeout" after `patience` milliseconds.
 */
export function whenClosed(opened, { patience, signal }) {
  return new Promise((resolve) => {
    const started = Date.now();
    const poll = setInterval(() => {
      if (opened.closed) finish("closed");
      else if (Date.now() - started > patience) finish("timeout");
    }, 200);
    const hurry = () => finish("impatient");
    signal?.addEventListener("abort", hurry, { once: true });

    function finish(how) {
      clearInterval(poll);
      signal?.removeEventListener("abort", hurry);
      resolve(how);
    }
  });
}
