// A login without a browser: the form, and the cookie that it gives.

import assert from 'node:assert/strict';
import { ask } from './raw.mjs';

/** The cookies that an answer sets, as a browser would send them back. */
export function cookiesOf(answer) {
  const set = [...answer.head.matchAll(/^set-cookie: *([^;\r\n]+)/gim)].map(([, pair]) => pair);
  return set.filter((pair) => !pair.endsWith('=')).join('; ');
}

/** Logs in at the proxy's own form, as a page of `origin` would. */
export async function logIn(port, username, { origin = `http://localhost:${port}`, path = '/auth/login' } = {}) {
  const body = `username=${username}&password=${username}`;
  const headers = {
    Origin: origin,
    'Sec-Fetch-Site': 'same-origin',
    'Content-Type': 'application/x-www-form-urlencoded',
  };
  const answer = await ask(port, path, { method: 'POST', headers, body });
  assert.equal(answer.status, 200, answer.head);
  const cookies = cookiesOf(answer);
  assert.match(cookies, /iiif=/, answer.head);
  return cookies;
}
