// A client by the book, on a site of its own, for what the published viewers do not do or do not
// show: the shape of every message, the access windows, the other patterns of access.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logIn, submit } from './harness/access-window.mjs';
import { clientFiles, openClient } from './harness/client.mjs';
import { setStage } from './harness/stage.mjs';
import { isAccess, isToken } from './harness/traffic.mjs';
import { sleep, until } from './harness/wait.mjs';

const CONTEXT = 'http://iiif.io/api/auth/2/context.json';
const FULL = '/full/400,/0/default.jpg';

let stage;
before(async () => { stage = await setStage({ files: await clientFiles() }); });
after(() => stage?.strike());

const visiting = (name, body, options = {}) =>
  test(name, () =>
    stage.visit(`client ${name}`, options, async (visit) => body(visit, await openClient(visit))));

/** Log in at the access service of `services` as `username`, whose password is the same word. */
async function logInTo(visit, client, services, username) {
  const origin = new URL(client.page.url()).origin;
  await logIn(visit, client.page, () => client.open(`${services.access.id}?origin=${origin}`), username, username);
}

function assertLanguageMap(value, what) {
  assert.equal(typeof value, 'object', `${what} is a language map`);
  const strings = Object.values(value);
  assert.ok(strings.length > 0, `${what} has a language`);
  for (const list of strings) {
    assert.ok(Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === 'string'), `${what} has arrays of strings`);
  }
}

function assertSharesOpener(entry) {
  const policy = entry.headers['cross-origin-opener-policy'] ?? 'unsafe-none';
  assert.equal(policy, 'unsafe-none', 'no Cross-Origin-Opener-Policy cuts the window off');
}

function assertTokenError(answer, profile) {
  assert.ok(answer, 'a message arrives');
  const { data } = answer;
  assert.equal(answer.origin, stage.library, 'it comes from the token service');
  assert.equal(data['@context'], CONTEXT);
  assert.equal(data.type, 'AuthAccessTokenError2');
  assert.equal(data.profile, profile);
  assert.ok(!('accessToken' in data), 'an error has no accessToken, not even an empty one');
  if ('note' in data) assert.ok('heading' in data, 'never a note without a heading');
  if ('heading' in data) assertLanguageMap(data.heading, 'heading');
  if ('note' in data) assertLanguageMap(data.note, 'note');
}

function assertToken(answer) {
  assert.ok(answer, 'a message arrives');
  const { data } = answer;
  assert.equal(answer.origin, stage.library, 'it comes from the token service');
  assert.equal(data.type, 'AuthAccessToken2', `a token, not ${JSON.stringify({ profile: data.profile, heading: data.heading })}`);
  assert.equal(data['@context'], CONTEXT);
  assert.equal(data.messageId, answer.messageId);
  assert.equal(typeof data.accessToken, 'string');
  assert.match(data.accessToken, /^[A-Za-z0-9\-._~+/]+=*$/, 'it fits into a Bearer header');
  if ('expiresIn' in data) assert.ok(Number.isInteger(data.expiresIn) && data.expiresIn > 0);
  return data.accessToken;
}

function assertProbe(answer, status) {
  assert.equal(answer.http, 200, 'a probe is answered with HTTP 200, whatever it reports');
  assert.match(answer.contentType, /^application\/(ld\+)?json/);
  const { result } = answer;
  assert.equal(result['@context'], CONTEXT);
  assert.equal(result.type, 'AuthProbeResult2');
  assert.equal(result.status, status);
  if (status !== 200) {
    assertLanguageMap(result.heading, 'heading');
    assertLanguageMap(result.note, 'note');
  }
  return result;
}

visiting('the whole flow', async (visit, client) => {
  const image = client.image('reader');
  const services = await client.services('reader');

  await visit.step('description', client.page, async () => {
    assert.ok(Array.isArray(services.info['@context']));
    assert.ok(services.info['@context'].includes(CONTEXT));
    assert.equal(services.info['@context'].at(-1), 'http://iiif.io/api/image/3/context.json');
    assert.equal(services.access.profile, 'active');
    assertLanguageMap(services.access.label, 'label');
  });

  await visit.step('denied', client.page, async () => {
    assertProbe(await client.probe(services.probe), 401);
    assert.equal(await client.show(image + FULL), false);
  });

  await logInTo(visit, client, services, 'reader');
  let token;

  await visit.step('granted', client.page, async () => {
    token = assertToken(await client.token(services.token));
    assertProbe(await client.probe(services.probe, token), 200);
    const [preflight] = await visit.seen((entry) => entry.method === 'OPTIONS', 'the preflight of the probe');
    // Chromium lets a "*" pass for this header, other browsers need its name.
    assert.match(String(preflight.headers['access-control-allow-headers']), /\bauthorization\b/i);
    assert.equal(await client.show(image + FULL), true);
    await visit.assertPicture(client.page.locator('#picture'));
  });

  await visit.step('logged out', client.page, async () => {
    const window = await visit.windowFrom(client.page, () => client.open(services.logout));
    await visit.closed(window);
    assertTokenError(await client.token(services.token), 'missingAspect');
    assertProbe(await client.probe(services.probe, token), 401);
    assert.equal(await visit.statusFrom(client.page, image + FULL), 401);
  });
});

visiting('an open image declares nothing', async (visit, client) => {
  await visit.step('shown', client.page, async () => {
    const services = await client.services('open');
    assert.equal(services.probe, undefined);
    assert.equal(await client.show(client.image('open') + FULL), true);
    await visit.assertPicture(client.page.locator('#picture'));
  });
});

visiting('the token service before the login', async (visit, client) => {
  const { token } = await client.services('reader');
  const origin = new URL(client.page.url()).origin;

  await visit.step('missingAspect', client.page, async () => {
    const answer = await client.token(token);
    assertTokenError(answer, 'missingAspect');
    assert.equal(answer.data.messageId, answer.messageId);
    const [request] = await visit.seen(isToken, 'the token request');
    assert.equal(request.status, 200, 'also an error is a page with HTTP 200');
    assert.match(request.headers['content-type'], /^text\/html/);
    assert.match(String(request.headers['cache-control']), /no-store/);
  });

  await visit.step('message identifiers', client.page, async () => {
    // What viewers send: a number, a word, the token service's own URL. And what an attacker sends.
    for (const messageId of ['1234', 'k3x9q', token, `${token}|1700000000`, 'ä ö 漢 +&=%', '</script><script>alert(1)</script>', '\u2028\u2029\\\'"<!--']) {
      const answer = await client.token(token, { messageId });
      assertTokenError(answer, 'missingAspect');
      assert.equal(answer.data.messageId, messageId, 'it comes back as it was sent, as a string');
    }
  });

  await visit.step('origin as viewers write it', client.page, async () => {
    for (const query of [
      `messageId=1&origin=${origin}`,
      `origin=${origin}/&messageId=1`,
      `origin=${encodeURIComponent(origin)}&messageId=1&cache=7`,
    ]) {
      const answer = await client.token(token, { query });
      assertTokenError(answer, 'missingAspect');
      assert.equal(answer.data.messageId, '1');
    }
  });

  await visit.step('a request without messageId', client.page, async () => {
    const answer = await client.token(token, { query: `origin=${origin}` });
    assertTokenError(answer, 'invalidRequest');
    assert.equal(answer.data.messageId, '');
  });

  await visit.step('nothing for anybody else', client.page, async () => {
    // The message is addressed to the origin that was named, so it does not reach this page.
    assert.equal(await client.token(token, { query: 'messageId=1&origin=https://elsewhere.example', timeout: 2_000 }), null);
    visit.forgive(/postMessage.*does not match the recipient window/);
    // Without a usable origin there is nobody to tell.
    for (const query of ['messageId=1', 'messageId=1&origin=*', 'messageId=1&origin=null', 'messageId=1&origin=javascript:alert(1)']) {
      const mark = visit.traffic.mark();
      assert.equal(await client.token(token, { query, timeout: 1_000 }), null);
      const [request] = await visit.seen(isToken, 'the token request', { since: mark });
      assert.equal(request.status, 400);
    }
    visit.forgive(/status of 400/);
  });
});

visiting('a token is only for the origin that logged in', async (visit, client) => {
  const services = await client.services('reader');
  // A person logs in for another viewer; then this one asks.
  await visit.step('logged in for another viewer', client.page, async () => {
    const window = await visit.windowFrom(client.page, () => client.open(`${services.access.id}?origin=https://elsewhere.example`));
    await window.locator('input[name=username]').fill('reader');
    await window.locator('input[name=password]').fill('reader');
    await submit(window);
    await visit.closed(window);
  });
  await visit.step('invalidOrigin', client.page, async () => {
    assertTokenError(await client.token(services.token), 'invalidOrigin');
  });
  await logInTo(visit, client, services, 'reader');
  await visit.step('after a login of its own', client.page, async () => {
    assertToken(await client.token(services.token));
  });
});

visiting('the login window', async (visit, client) => {
  const services = await client.services('reader');
  const origin = new URL(client.page.url()).origin;
  const open = () => client.open(`${services.access.id}?origin=${origin}`);

  const window = await visit.windowFrom(client.page, open);
  await visit.step('stays connected to its opener', window, async () => {
    // A Cross-Origin-Opener-Policy would make `closed` true at once, and viewers would ask for
    // the token before anybody has logged in.
    await window.locator('input[name=username]').waitFor();
    await sleep(1_500);
    const samples = await client.closedSamples();
    assert.ok(samples.length > 10, 'it was watched for a while');
    assert.ok(samples.every((closed) => closed === false), '`closed` is false while it is open');
  });

  await visit.step('is no login yet', window, async () => {
    const [access] = await visit.seen(isAccess, 'the access service');
    assert.equal(access.status, 200);
    assertSharesOpener(access);
    assertTokenError(await client.token(services.token), 'missingAspect');
    assert.equal(window.isClosed(), false, 'it does not close by itself');
  });

  await visit.step('a wrong password', window, async () => {
    await window.locator('input[name=username]').fill('reader');
    await window.locator('input[name=password]').fill('wrong');
    const mark = visit.traffic.mark();
    await submit(window);
    await visit.seen((entry) => entry.method === 'POST', 'the answer to the form', { since: mark });
    await window.locator('input[name=password]').waitFor();
    assertTokenError(await client.token(services.token), 'missingAspect');
    visit.forgive(/status of (401|403|422)/);
  });

  await visit.step('the right password', null, async () => {
    await window.locator('input[name=username]').fill('reader');
    await window.locator('input[name=password]').fill('reader');
    await submit(window);
    await visit.closed(window);
    await until(async () => (await client.closedSamples()).at(-1) === true, '`closed` to become true');
  });

  await visit.step('the access cookie', client.page, async () => {
    const names = visit.traffic.since(visit.start, (entry) => entry.method === 'POST' && isAccess(entry)).flatMap((entry) => entry.setCookies);
    const cookies = (await visit.context.cookies(stage.library)).filter((cookie) => names.includes(cookie.name));
    assert.ok(cookies.length > 0, 'the login set a cookie');
    for (const cookie of cookies) {
      assert.deepEqual(
        { name: cookie.name, secure: cookie.secure, httpOnly: cookie.httpOnly, sameSite: cookie.sameSite },
        { name: cookie.name, secure: true, httpOnly: true, sameSite: 'None' },
      );
    }
    assertToken(await client.token(services.token));
  });

  await visit.step('refuses to be framed', client.page, async () => {
    const mark = visit.traffic.mark();
    await client.frame(`${services.access.id}?origin=${origin}`);
    const [access] = await visit.seen(isAccess, 'the access service in a frame', { since: mark });
    assert.match(String(access.headers['content-security-policy']), /frame-ancestors 'none'/);
    visit.forgive(/frame-ancestors|refused to display|Framing /i);
  });
});

visiting('a window closed without a login', async (visit, client) => {
  const services = await client.services('reader');
  const origin = new URL(client.page.url()).origin;
  await visit.step('told', client.page, async () => {
    const window = await visit.windowFrom(client.page, () => client.open(`${services.access.id}?origin=${origin}`));
    await window.locator('input[name=username]').waitFor();
    await window.close();
    assertTokenError(await client.token(services.token), 'missingAspect');
    assertProbe(await client.probe(services.probe), 401);
  });
});

visiting('the terms need a gesture', async (visit, client) => {
  const services = await client.services('terms');
  const origin = new URL(client.page.url()).origin;
  const open = () => visit.windowFrom(client.page, () => client.open(`${services.access.id}?origin=${origin}`));

  let window = await open();
  await visit.step('asked', window, async () => {
    await window.locator('form').waitFor();
    await sleep(1_000);
    assert.equal(window.isClosed(), false, 'it waits for a person');
    assertTokenError(await client.token(services.token), 'missingAspect');
    const [access] = await visit.seen(isAccess, 'the access service');
    assertSharesOpener(access);
  });
  await visit.step('declined', client.page, async () => {
    await window.getByRole('button', { name: /decline/i }).click();
    await visit.closed(window);
    assertTokenError(await client.token(services.token), 'missingAspect');
    assertProbe(await client.probe(services.probe), 401);
  });
  await visit.step('agreed', client.page, async () => {
    window = await open();
    await submit(window);
    await visit.closed(window);
    const token = assertToken(await client.token(services.token));
    assertProbe(await client.probe(services.probe, token), 200);
    assert.equal(await client.show(client.image('terms') + FULL), true);
    await visit.assertPicture(client.page.locator('#picture'));
  });
});

visiting('the log-out is called so', async (visit, client) => {
  await visit.step('labels', client.page, async () => {
    for (const id of ['reader', 'terms']) {
      const { access } = await client.services(id);
      const logout = access.service.find((service) => service.type === 'AuthLogoutService2');
      // Viewers write this on the button; Mirador writes nothing else there.
      assertLanguageMap(logout.label, 'the label');
      assert.match(logout.label.en.join(' '), /^log out/i, `of ${id}`);
    }
  });
});

visiting('a reader who is not a curator', async (visit, client) => {
  const services = await client.services('curator');
  await logInTo(visit, client, services, 'reader');
  await visit.step('refused', client.page, async () => {
    // A token stands for the login, not for a right to this picture.
    const token = assertToken(await client.token(services.token));
    assertProbe(await client.probe(services.probe, token), 403);
    assert.equal(await visit.statusFrom(client.page, client.image('curator') + FULL), 403);
  });
});

visiting('an embargoed image', async (visit, client) => {
  const services = await client.services('embargoed');
  await logInTo(visit, client, services, 'curator');
  await visit.step('refused', client.page, async () => {
    const token = assertToken(await client.token(services.token));
    assertProbe(await client.probe(services.probe, token), 403);
    assert.equal(await visit.statusFrom(client.page, client.image('embargoed') + FULL), 403);
  });
});

visiting('a substitute until the login', async (visit, client) => {
  const services = await client.services('tiered');
  await visit.step('substitute', client.page, async () => {
    const result = assertProbe(await client.probe(services.probe), 401);
    assert.ok(Array.isArray(result.substitute) && result.substitute.length > 0);
    assert.ok(!('location' in result));
    const [substitute] = result.substitute;
    assert.equal(typeof substitute.type, 'string');
    const image = new URL(substitute.id).pathname.startsWith('/iiif/3/tiered-small');
    assert.ok(image, `the substitute is tiered-small, not ${substitute.id}`);
    assert.equal(await client.show(client.image('tiered-small') + FULL), true);
    await visit.assertPicture(client.page.locator('#picture'));
    assert.equal(await visit.statusFrom(client.page, client.image('tiered') + FULL), 401);
  });
  await logInTo(visit, client, services, 'reader');
  await visit.step('the real one', client.page, async () => {
    const token = assertToken(await client.token(services.token));
    const result = assertProbe(await client.probe(services.probe, token), 200);
    assert.ok(!('substitute' in result));
    assert.equal(await client.show(client.image('tiered') + FULL), true);
  });
});

visiting('the reading room needs no window', async (visit, client) => {
  const services = await client.services('reading-room');
  await visit.step('shown', client.page, async () => {
    assert.equal(services.access.profile, 'external');
    assert.equal(services.access.id, undefined);
    const token = assertToken(await client.token(services.token));
    assertProbe(await client.probe(services.probe, token), 200);
    assert.equal(await client.show(client.image('reading-room') + FULL), true);
    visit.never(isAccess, 'no window');
  });
});

visiting('third-party cookies blocked: the viewer is told', async (visit, client) => {
  // The person logs in, but no cookie travels into the viewer's frame. A message has to come all
  // the same: viewers have no time-out.
  const services = await client.services('reader');
  await logInTo(visit, client, services, 'reader');
  await visit.step('told', client.page, async () => {
    const mark = visit.traffic.mark();
    const answer = await client.token(services.token);
    assertTokenError(answer, 'missingAspect');
    assert.match(JSON.stringify([answer.data.heading, answer.data.note]), /cookie/i, 'it says what may be the reason');
    const [request] = await visit.seen(isToken, 'the token request', { since: mark });
    assert.deepEqual(request.cookies, [], 'the browser kept the cookie back');
    assert.equal(await visit.statusFrom(client.page, client.image('reader') + FULL), 401);
  });
}, { thirdPartyCookies: 'block' });
