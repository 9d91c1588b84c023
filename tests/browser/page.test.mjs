// The page that the quickstart shows at its own address. It is its own viewer, on the image
// server's origin, so nothing here depends on third-party cookies: they are blocked.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logIn, submit } from './harness/access-window.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isAccess, isImage } from './harness/traffic.mjs';
import { until } from './harness/wait.mjs';

let stage;
before(async () => { stage = await setStage(); });
after(() => stage?.strike());

const visiting = (name, body, options = {}) =>
  test(name, () =>
    stage.visit(`page ${name}`, { thirdPartyCookies: 'block', ...options }, async (visit) => {
      const page = await visit.open(`${stage.library}/`);
      await body(visit, new QuickstartPage(visit, page));
    }));

/** The page as the tests talk about it. */
class QuickstartPage {
  constructor(visit, page) {
    this.visit = visit;
    this.page = page;
    this.viewer = page.locator('#viewer');
    this.message = page.locator('#message');
    this.access = page.locator('#access-button');
    this.logout = page.locator('#logout-button');
  }

  card(id) {
    return this.page.locator(`[data-resource="${id}"]`);
  }

  async select(id) {
    await this.card(id).click();
  }

  async state(id, wanted) {
    let last;
    try {
      await until(async () => (last = await this.card(id).getAttribute('data-state')) === wanted, `the card ${id} to be ${wanted}`);
    } catch (error) {
      throw new Error(`${error.message} (it is ${last})`, { cause: error });
    }
  }

  async shown() {
    await until(async () => Number(await this.viewer.getAttribute('data-tiles-ok')) > 0, 'a tile in the viewer');
    assert.equal(Number(await this.viewer.getAttribute('data-tiles-failed')), 0, 'no tile failed');
    await this.visit.assertPicture(this.viewer);
    await this.undistorted();
  }

  /** A canvas whose own size does not fit its place on the page stretches the picture. */
  async undistorted() {
    const { drawn, shown } = await this.viewer.locator('canvas').evaluate((canvas) => ({
      drawn: canvas.width / canvas.height,
      shown: canvas.clientWidth / canvas.clientHeight,
    }));
    assert.ok(Math.abs(drawn / shown - 1) < 0.02, `the picture is drawn ${drawn.toFixed(2)} : 1 and shown ${shown.toFixed(2)} : 1`);
  }

  async told(pattern) {
    await until(async () => pattern.test(await this.message.innerText()), `a message like ${pattern}`);
    assert.ok(await this.message.isVisible());
  }

  async logIn(username) {
    await this.access.waitFor();
    await logIn(this.visit, this.page, () => this.access.click(), username, username);
  }

  async logOut() {
    const window = await this.visit.windowFrom(this.page, () => this.logout.click());
    await this.visit.closed(window);
  }

  async steps() {
    return this.page.locator('#log [data-step]').evaluateAll((entries) => entries.map((entry) => entry.dataset.step));
  }
}

visiting('open', async (visit, quickstart) => {
  await visit.step('shown', quickstart.page, async () => {
    await quickstart.select('open');
    await quickstart.state('open', 'open');
    await quickstart.shown();
    assert.equal(await quickstart.access.isVisible(), false, 'no login is offered');
    visit.never(isAccess, 'no window');
  });
});

visiting('reader', async (visit, quickstart) => {
  await visit.step('locked', quickstart.page, async () => {
    await quickstart.select('reader');
    await quickstart.state('reader', 'locked');
    visit.never(both(isImage('reader'), granted), 'no tile with status 200');
  });
  await quickstart.logIn('reader');
  await visit.step('shown', quickstart.page, async () => {
    await quickstart.state('reader', 'granted');
    await quickstart.shown();
    const steps = await quickstart.steps();
    for (const step of ['info', 'probe', 'access', 'token', 'tiles']) {
      assert.ok(steps.includes(step), `the log tells about ${step}`);
    }
  });
  const [tile] = visit.traffic.since(visit.start, both(isImage('reader'), granted));
  await visit.step('logged out', quickstart.page, async () => {
    await quickstart.logOut();
    await quickstart.state('reader', 'locked');
    assert.ok((await quickstart.steps()).includes('logout'));
    assert.equal(await visit.statusFrom(quickstart.page, tile.url), 401);
  });
});

visiting('curator', async (visit, quickstart) => {
  await quickstart.select('curator');
  await quickstart.state('curator', 'locked');
  await quickstart.logIn('reader');
  await visit.step('refused to a reader', quickstart.page, async () => {
    await quickstart.state('curator', 'refused');
    await quickstart.told(/\S/);
    visit.never(both(isImage('curator'), granted), 'no tile with status 200');
  });
  await visit.step('logged out', quickstart.page, async () => {
    await quickstart.logOut();
    await quickstart.state('curator', 'locked');
  });
  await quickstart.logIn('curator');
  await visit.step('granted to a curator', quickstart.page, async () => {
    await quickstart.state('curator', 'granted');
    await quickstart.shown();
  });
});

visiting('embargoed', async (visit, quickstart) => {
  await quickstart.select('embargoed');
  await quickstart.state('embargoed', 'locked');
  await quickstart.logIn('curator');
  await visit.step('refused', quickstart.page, async () => {
    await quickstart.state('embargoed', 'refused');
    await quickstart.told(/embargo/i);
    visit.never(both(isImage('embargoed'), granted), 'no tile with status 200');
  });
});

visiting('terms', async (visit, quickstart) => {
  await quickstart.select('terms');
  await quickstart.state('terms', 'locked');
  const window = await visit.windowFrom(quickstart.page, () => quickstart.access.click());
  await visit.step('asked', window, async () => {
    await window.locator('button, input[type=submit]').first().waitFor();
    visit.never(both(isImage('terms'), granted), 'no tile with status 200');
  });
  await visit.step('agreed', quickstart.page, async () => {
    await submit(window);
    await visit.closed(window);
    await quickstart.state('terms', 'granted');
    await quickstart.shown();
  });
});

visiting('tiered', async (visit, quickstart) => {
  await visit.step('substitute', quickstart.page, async () => {
    await quickstart.select('tiered');
    await quickstart.state('tiered', 'substitute');
    await quickstart.shown();
    visit.never(both(isImage('tiered'), granted), 'no tile of the real one');
  });
  await quickstart.logIn('reader');
  await visit.step('the real one', quickstart.page, async () => {
    await quickstart.state('tiered', 'granted');
    await visit.seen(both(isImage('tiered'), granted), 'a tile of the real one');
    await quickstart.shown();
  });
});

visiting('reading room', async (visit, quickstart) => {
  await visit.step('shown', quickstart.page, async () => {
    await quickstart.select('reading-room');
    await quickstart.state('reading-room', 'granted');
    await quickstart.shown();
    visit.never(isAccess, 'no window');
    assert.equal(visit.context.pages().length, 1);
  });
});

visiting('families side by side', async (visit, quickstart) => {
  const table = quickstart.page.locator('#families');
  /** What `info.json` is without and with a token, base by base. */
  const told = async (id, known) => {
    await quickstart.page.locator(`#families[data-showing="${id}"][data-known="${known}"]`).waitFor();
    return table.locator('tr').evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll('td')].slice(0, 2).map((cell) => cell.innerText)));
  };
  await quickstart.select('tiered');
  const smaller = '302 to tiered-small, which says 200';
  assert.deepEqual(await told('tiered', false), [['200', '–'], [smaller, '–'], [smaller, '–'], [smaller, '–']]);
  await quickstart.select('reader');
  assert.deepEqual(await told('reader', false), [['200', '–'], ['401', '–'], ['401', '–'], ['401', '–']]);
  await quickstart.logIn('reader');
  await visit.step('logged in', quickstart.page, async () => {
    assert.deepEqual(await told('reader', true), [['200', '200; the probe says 200'], ['401', '200'], ['401', '200'], ['401', '200']]);
    const services = await table.locator('tr').last().locator('li').allInnerTexts();
    assert.deepEqual(services, ['2.0 probe › active › token, logout', '1.0 login › token, logout', '0.9 login › token, logout']);
    await table.scrollIntoViewIfNeeded();
  });
});

visiting('document', async (visit, quickstart) => {
  const url = `${stage.library}/files/handlist.pdf`;
  const card = quickstart.page.locator('[data-resource*="handlist"]');
  await card.waitFor();
  const id = await card.getAttribute('data-resource');

  await visit.step('locked', quickstart.page, async () => {
    await quickstart.select(id);
    await quickstart.state(id, 'locked');
    assert.equal(await visit.statusFrom(quickstart.page, url), 401);
  });
  await quickstart.logIn('reader');
  await visit.step('open', quickstart.page, async () => {
    await quickstart.state(id, 'granted');
    const start = await quickstart.page.evaluate(async (url) => {
      const response = await fetch(url, { cache: 'reload' });
      return { status: response.status, type: response.headers.get('content-type'), text: (await response.text()).slice(0, 5) };
    }, url);
    assert.deepEqual(start, { status: 200, type: 'application/pdf', text: '%PDF-' });
  });
});

for (const id of ['recording', 'stream']) {
  visiting(id, async (visit, quickstart) => {
    const audio = quickstart.page.locator('#file audio');
    await quickstart.card(id).waitFor();

    await visit.step('locked', quickstart.page, async () => {
      await quickstart.select(id);
      await quickstart.state(id, 'locked');
      assert.equal(await audio.count(), 0);
    });
    await quickstart.logIn('reader');
    await visit.step('plays', quickstart.page, async () => {
      await quickstart.state(id, 'granted');
      await until(() => audio.evaluate(({ readyState, duration }) => readyState >= 3 && Number.isFinite(duration)), 'sound');
      const { duration, time, error } = await audio.evaluate(async (audio) => {
        audio.muted = true;
        await audio.play();
        await new Promise((resolve) => { setTimeout(resolve, 700); });
        return { duration: audio.duration, time: audio.currentTime, error: audio.error?.message };
      });
      assert.equal(error, undefined);
      assert.ok(Math.abs(duration - 6 * 32768 / 24000) < 0.2, `it lasts ${duration} s`);
      assert.ok(time > 0.2, `it has come to ${time} s`);
    });
    await visit.step('locked again', quickstart.page, async () => {
      await quickstart.logOut();
      await quickstart.state(id, 'locked');
      assert.equal(await audio.count(), 0);
    });
  });
}

visiting('one login serves all pictures, one log-out locks all', async (visit, quickstart) => {
  await quickstart.select('reader');
  await quickstart.logIn('curator');
  await visit.step('logged in', quickstart.page, async () => {
    await quickstart.state('reader', 'granted');
    await quickstart.select('curator');
    // A page may ask for a new token or use the one it has; it must not ask for a new login.
    await quickstart.state('curator', 'granted');
    await quickstart.shown();
  });
  await visit.step('logged out', quickstart.page, async () => {
    await quickstart.logOut();
    for (const id of ['reader', 'curator']) {
      await quickstart.select(id);
      await quickstart.state(id, 'locked');
    }
  });
});

visiting('on a phone', async (visit, quickstart) => {
  const fits = () => quickstart.page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  for (const id of ['open', 'reader', 'tiered']) {
    await visit.step(`${id} fits`, quickstart.page, async () => {
      await quickstart.select(id);
      await until(async () => !['unknown', null].includes(await quickstart.card(id).getAttribute('data-state')), `the card ${id} to be known`);
      const { content, window } = await fits();
      assert.ok(content <= window, `${content} px of content in a window of ${window} px`);
      if (id !== 'reader') await quickstart.shown();
    });
  }
  await quickstart.select('reader');
  const login = await visit.windowFrom(quickstart.page, () => quickstart.access.click());
  await visit.step('the login fits', login, async () => {
    await login.locator('input[name=username]').waitFor();
    // The page asks for a window of a certain size; a phone has no such windows.
    await login.setViewportSize({ width: 360, height: 740 });
    const width = await login.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(width <= 0, `${width} px too wide`);
  });
}, { viewport: { width: 360, height: 740 } });
