// What a person does in the window that an access service opens.

import assert from 'node:assert/strict';
import { isAccess } from './traffic.mjs';
import { until } from './wait.mjs';

/** Open the login by `open`, fill it in, and see it close by itself. */
export async function logIn(visit, page, open, username, password) {
  const window = await fillIn(visit, page, open, username, password);
  await visit.step('login', null, async () => {
    await submit(window);
    await visit.closed(window);
  });
}

/**
 * The same where the login is handed off and its page lets the click that sends it open the small window. Both
 * windows close by themselves.
 */
export async function logInWithHelper(visit, page, open, username, password) {
  const window = await fillIn(visit, page, open, username, password);
  await visit.step('login', null, async () => {
    const helper = await visit.windowFrom(window, () => submit(window));
    await Promise.all([visit.closed(window), visit.closed(helper)]);
  });
}

/** The same where its page does not, as many applications' do: it ends at a page that asks for a click. */
export async function logInUpToTheClick(visit, page, open, username, password) {
  const window = await fillIn(visit, page, open, username, password);
  await visit.step('login', null, async () => {
    await withoutHelper(window);
    await submit(window);
    await goOnButton(window).waitFor();
  });
  return window;
}

/** That click: it opens a small window, and both close by themselves. */
export async function goOn(visit, window) {
  await visit.step('hand-off', null, async () => {
    const helper = await visit.windowFrom(window, () => goOnButton(window).click());
    await Promise.all([visit.closed(window), visit.closed(helper)]);
  });
}

/** Take the hand-off's attributes off the login form. */
export const withoutHelper = (window) =>
  window.locator('form').evaluateAll((forms) => forms.forEach((form) => form.removeAttribute('data-hand-off')));

const goOnButton = (window) => window.locator('form[data-hand-off] button').first();

async function fillIn(visit, page, open, username, password) {
  const mark = visit.traffic.mark();
  return visit.step('login form', null, async () => {
    const first = await visit.windowFrom(page, open, { again: 5_000 });
    const window = await filledIn(visit, page, first, username, password);
    await visit.photograph(window, 'login form');
    const [access] = await visit.seen(isAccess, 'the access service to be opened', { since: mark });
    assert.equal(access.query.get('origin'), new URL(page.url()).origin, 'the viewer names its origin');
    return window;
  });
}

/** Click the button that sends the form. */
export async function submit(window) {
  await window.locator('button[type=submit], input[type=submit], form button:not([type])').first().click();
}

// Mirador closes its window and opens it anew whenever the bar it belongs to is drawn again, so the
// window to work with is the one that is still there once its form is filled in.
function filledIn(visit, page, first, username, password) {
  return until(async () => {
    const others = visit.context.pages().filter((other) => other !== page && !other.isClosed());
    const window = others.at(-1) ?? first;
    try {
      if (!(await window.locator('input[name=username]').isVisible())) return false;
      await window.locator('input[name=username]').fill(username);
      await window.locator('input[name=password]').fill(password);
      return window;
    } catch (error) {
      if (window.isClosed()) return false;
      throw error;
    }
  }, 'the login form in a window of its own');
}
