// A login for a viewer whose third-party cookies are blocked, without a browser.

import assert from 'node:assert/strict';
import { ask } from './raw.mjs';
import { cookiesOf } from './session.mjs';

const SITE = 'https://iiif.example';
const FORM = { Origin: SITE, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' };

/** The cookie that the hand-off gives to the viewer's partition. */
export async function handOff(port, viewer) {
  const page = await ask(port, `/auth/login?origin=${viewer}`, { host: 'iiif.example' });
  const headers = { ...FORM, Cookie: cookiesOf(page) };
  const post = (path, body, more = headers) => ask(port, path, { method: 'POST', headers: more, body });
  const gesture = await post('/auth/login', 'username=reader&password=reader');
  const fields = [...gesture.text.matchAll(/name="(\w+)" value="([^"]*)"/g)];
  const pressed = await post('/auth/continue', fields.map(([, name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'));
  assert.equal(pressed.status, 200, pressed.head + gesture.text);
  const { code } = JSON.parse(/id="hand-off">(.*?)<\/script>/s.exec(pressed.text)[1]);
  const form = `handOff=${encodeURIComponent(code)}&family=2&origin=${encodeURIComponent(viewer)}&messageId=m1`;
  const redeemed = await post('/auth/redeem', form, FORM);
  assert.deepEqual(JSON.parse(redeemed.text), { redeemed: true });
  return cookiesOf(redeemed);
}
