// One person's visit with one browser: steps with a screenshot each, the windows, the console, and
// what to print when it goes wrong.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { coloursOf, describe, isBlank, isPicture } from './picture.mjs';
import { until, within } from './wait.mjs';

const ARTIFACTS = fileURLToPath(new URL('../artifacts', import.meta.url));

// Chromium writes a console error of its own for every response of 400 and above. For an image that
// is refused, as it should be, this is not a fault of anybody's.
const REFUSED_IMAGE = /^Failed to load resource: the server responded with a status of (401|403)/;

export class Visit {
  #complaints = [];
  #pictures = 0;
  #step = 'start';

  constructor({ name, stage, context, noise = [] }) {
    this.name = name;
    this.stage = stage;
    this.context = context;
    this.traffic = stage.traffic;
    this.start = stage.traffic.mark();
    this.folder = join(ARTIFACTS, name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, ''));
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });

    // Viewers do not show every message that they get.
    this.recording = context.addInitScript(() => {
      window.recordedMessages = [];
      window.addEventListener('message', ({ data, origin }) => {
        window.recordedMessages.push({ data, origin, time: Date.now() });
      });
    });
    context.setDefaultTimeout(30_000);
    context.setDefaultNavigationTimeout(30_000);
    context.on('console', (message) => {
      if (message.type() !== 'error') return;
      const where = message.location().url ?? '';
      if (REFUSED_IMAGE.test(message.text()) && /\/(iiif|files)\//.test(where)) return;
      const complaint = `${message.text()} (${where})`;
      if (noise.some((pattern) => pattern.test(complaint))) return;
      this.#complaints.push(`[${this.#step}] console: ${complaint}`);
    });
    context.on('weberror', (error) => {
      this.#complaints.push(`[${this.#step}] uncaught: ${error.error().stack ?? error.error()}`);
    });
  }

  /** One stage of the visit; `page` is photographed at its end. */
  async step(name, page, body) {
    this.#step = name;
    try {
      const result = await body();
      if (page) await this.photograph(page, name);
      return result;
    } catch (error) {
      error.message = `step "${name}": ${error.message}`;
      throw error;
    }
  }

  async open(url) {
    await this.recording;
    const page = this.context.pages().find((page) => page.url() === 'about:blank') ?? (await this.context.newPage());
    await page.goto(url);
    return page;
  }

  /**
   * Do `action`, which must open a window, and hand that window out. `again`: after how many milliseconds
   * a person tries anew, as a viewer that draws its bar at the moment of a click may lose it.
   */
  async windowFrom(page, action, { again = Infinity } = {}) {
    let window;
    page.once('popup', (opened) => (window = opened));
    await action();
    let acted = Date.now();
    return until(async () => {
      if (window || Date.now() - acted < again) return window;
      await action();
      acted = Date.now();
      return window;
    }, 'a window to open');
  }

  async closed(window, timeout = 30_000) {
    if (window.isClosed()) return;
    await within(window.waitForEvent('close', { timeout: 0 }), `the window at ${window.url()} to close by itself`, timeout);
  }

  /**
   * Wait for finished requests to the image server that `filter` accepts. `nudge`: what a person does
   * who waits in vain.
   */
  async seen(filter, what, { since = this.start, count = 1, timeout = 30_000, nudge = async () => {} } = {}) {
    let nudged = Date.now();
    return until(
      async () => {
        const found = this.traffic.since(since, filter);
        if (found.length >= count) return found;
        if (Date.now() - nudged > 3_000) {
          await nudge();
          nudged = Date.now();
        }
        return false;
      },
      what,
      { timeout },
    );
  }

  /** Wait for the token service's message that no login arrived; `time` says when it came. */
  async toldOfNoLogin(page) {
    return until(
      async () => {
        const messages = await page.evaluate(() => window.recordedMessages);
        const isIt = ({ data }) => data?.profile === 'missingAspect' || data?.error === 'missingCredentials';
        return messages.find((message) => message.origin === this.stage.library && isIt(message));
      },
      'the message that no login arrived',
    );
  }

  never(filter, what, since = this.start) {
    const found = this.traffic.since(since, filter);
    assert.equal(found.length, 0, `${what}, but: ${found.map((entry) => `${entry.status} ${entry.url}`).join(', ')}`);
  }

  /** `nudge`: what a person does who still sees nothing after two seconds; then waits again. */
  async assertPicture(locator, nudge = async () => {}) {
    let colours;
    let nudged = Date.now();
    try {
      await until(async () => {
        colours = coloursOf(await locator.screenshot());
        if (isPicture(colours)) return true;
        if (Date.now() - nudged > 2_000) {
          await nudge();
          nudged = Date.now();
        }
        return false;
      }, 'a picture on the screen', { every: 250 });
    } catch (error) {
      throw new Error(`${error.message} (${colours && describe(colours)})`, { cause: error });
    }
  }

  async assertBlank(locator) {
    const colours = coloursOf(await locator.screenshot());
    assert.ok(isBlank(colours), `no picture was expected, but there are ${describe(colours)}`);
  }

  /** Ask for `url` anew from `page` as an image is asked for, past any cache; the server's status. */
  async statusFrom(page, url) {
    const mark = this.traffic.mark();
    await page.evaluate(
      (url) => fetch(url, { mode: 'no-cors', credentials: 'include', cache: 'reload' }).catch(() => {}),
      url,
    );
    const [entry] = await this.seen((entry) => entry.url === url && entry.method === 'GET', `a request for ${url}`, { since: mark });
    return entry.status;
  }

  /** A fault the test provokes on purpose is not counted. */
  forgive(pattern) {
    this.#complaints = this.#complaints.filter((complaint) => !pattern.test(complaint));
  }

  assertNoComplaints() {
    assert.deepEqual(this.#complaints, [], 'errors in the console');
  }

  async photograph(page, name) {
    if (page.isClosed()) return;
    this.#pictures += 1;
    const number = String(this.#pictures).padStart(2, '0');
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
    const path = join(this.folder, `${number}-${slug}.png`);
    // There is no picture of a page that gives way to the next one, on another site, at that moment.
    const take = () => page.screenshot({ path }).then(() => true, (error) => {
      if (page.isClosed()) return true;
      if (!/Unable to capture screenshot/.test(error.message)) throw error;
      return false;
    });
    await until(take, `a picture of ${page.url()}`);
  }

  async report(error) {
    for (const page of this.context.pages()) {
      await this.photograph(page, 'failed').catch(() => {});
    }
    console.error(
      [
        `--- ${this.name} failed: ${error.message}`,
        'windows: ' + this.context.pages().map((page) => page.url()).join(', '),
        'console:', ...this.#complaints,
        'requests to the image server:', this.traffic.print(this.start),
        'the last words of the image server:', this.stage.serverOutput().slice(-3_000),
        `pictures: ${this.folder}`,
        '---',
      ].join('\n'),
    );
  }
}
