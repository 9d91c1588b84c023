// Every wait of the suite goes through here, so that each is bounded and says what it waited for.

import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

/** Ask `condition` until it returns something truthy, and return that. */
export async function until(condition, what, { timeout = 30_000, every = 50 } = {}) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${timeout / 1000} s in vain for: ${what}`);
    await sleep(every);
  }
}

/** Give `promise` at most `timeout` milliseconds. */
export async function within(promise, what, timeout = 30_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${timeout / 1000} s in vain for: ${what}`)),
      timeout,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
