// Logins at a real OpenID provider on a site of its own, for a viewer on another: with the provider's
// pages, without them when it remembers the user, and with the header that cuts windows off.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clientFiles, openClient } from './harness/client.mjs';
import { setOidcStage } from './harness/oidc-stage.mjs';
import { until } from './harness/wait.mjs';

const PICTURE = '/full/400,/0/default.jpg';
// Of the provider's own pages: a typeface from elsewhere, and no icon.
const PROVIDERS = [/fonts\.googleapis\.com/, /login\.university\.test:\d+\/favicon\.ico/];
const isCallback = (entry) => new URL(entry.url).pathname === '/oidc/callback';

let stage;
before(async () => { stage = await setOidcStage({ files: await clientFiles() }); });
after(() => stage?.strike());

const visiting = (name, body, policy = null) =>
  test(name, async (context) => {
    stage.policy = policy;
    await stage.visit(`oidc ${name}`, { noise: PROVIDERS }, async (visit) => body(visit, await openClient(visit), context));
  });

/** Open the access service in a window. */
function openAccess(visit, client, services) {
  const url = `${services.access.id}?origin=${new URL(client.page.url()).origin}`;
  return visit.windowFrom(client.page, () => client.open(url));
}

/** The provider's own pages: its login, and its question whether the library may know who it is. */
async function logInAtProvider(visit, window, name) {
  await visit.step('login at the provider', window, async () => {
    await window.locator('input[name=login]').fill(name);
    await window.locator('input[name=password]').fill('anything');
    assert.equal(new URL(window.url()).origin, stage.provider);
    await window.locator('button[type=submit]').click();
  });
  await visit.step('consent at the provider', window, async () => {
    await window.getByRole('button', { name: 'Continue', exact: true }).click();
  });
}

/** The page of the layers, which names the viewer; the click on it. */
async function goOn(visit, window) {
  const host = new URL(stage.viewers).host;
  const button = window.getByRole('button', { name: `Continue to ${host}` });
  await visit.step('gesture page', window, async () => {
    await button.waitFor();
    assert.equal(new URL(window.url()).origin, stage.library);
    const cookies = await visit.context.cookies(stage.library);
    assert.ok(!cookies.some(({ name }) => name === '__Host-iiif'), 'no access cookie before the click');
    assert.ok(!cookies.some(({ name }) => name.startsWith('__Host-oidc')), 'the login that came back is forgotten');
  });
  await visit.step('click', null, () => button.click());
}

async function assertOpen(visit, client, services) {
  const token = await client.token(services.token);
  assert.equal(token?.data.type, 'AuthAccessToken2', JSON.stringify(token?.data));
  const { result } = await client.probe(services.probe, token.data.accessToken);
  assert.equal(result.status, 200);
  assert.equal(await client.show(client.image('restricted') + PICTURE), true);
  await visit.assertPicture(client.page.locator('#picture'));
  return token.data.accessToken;
}

visiting('a reader logs in, out, and in again, and the provider remembers', async (visit, client) => {
  const services = await client.services('restricted');
  await visit.step('denied', client.page, async () => {
    assert.equal((await client.probe(services.probe)).result.status, 401);
    assert.equal(await client.show(client.image('restricted') + PICTURE), false);
  });

  const window = await openAccess(visit, client, services);
  await logInAtProvider(visit, window, 'reader');
  await goOn(visit, window);
  await visit.closed(window);
  const token = await visit.step('picture', client.page, () => assertOpen(visit, client, services));

  await visit.step('secrets', null, async () => {
    const [back] = await visit.seen(isCallback, 'the way back from the provider');
    const query = new URL(back.url).searchParams;
    const output = stage.serverOutput();
    assert.ok(output.includes('TRACE'), 'the server logs everything');
    for (const secret of [query.get('code'), query.get('state')].filter(Boolean)) {
      assert.ok(!output.includes(secret), 'no code and no state in the log');
    }
    assert.equal(back.headers['cross-origin-opener-policy'] ?? 'unsafe-none', 'unsafe-none');
  });

  await visit.step('logout', null, async () => {
    await visit.closed(await visit.windowFrom(client.page, () => client.open(services.logout)));
    assert.equal((await client.probe(services.probe, token)).result.status, 401);
    assert.equal(await visit.statusFrom(client.page, client.image('restricted') + PICTURE), 401);
  });

  // The provider asks nothing any more: without a click at it, there has to be one here.
  const again = await openAccess(visit, client, services);
  await goOn(visit, again);
  await visit.closed(again);
  await visit.step('picture again', client.page, () => assertOpen(visit, client, services));
});

visiting('a member without the role is known and refused', async (visit, client) => {
  const services = await client.services('restricted');
  const window = await openAccess(visit, client, services);
  await logInAtProvider(visit, window, 'guest');
  await goOn(visit, window);
  await visit.closed(window);
  await visit.step('refused', client.page, async () => {
    const token = await client.token(services.token);
    assert.equal(token?.data.type, 'AuthAccessToken2', 'who it is, is known');
    const { result } = await client.probe(services.probe, token.data.accessToken);
    assert.equal(result.status, 403);
    assert.equal(await client.show(client.image('restricted') + PICTURE), false);
  });

  // Somebody else, although the provider remembers the guest.
  const other = await openAccess(visit, client, services);
  await visit.step('somebody else', other, async () => {
    await other.getByRole('button', { name: 'Log in as somebody else' }).click();
    await other.locator('input[name=login]').waitFor();
  });
});

visiting('a user who gives up at the provider', async (visit, client) => {
  const services = await client.services('restricted');
  const window = await openAccess(visit, client, services);
  await visit.step('abort', null, async () => {
    await window.locator('input[name=login]').waitFor();
    await window.getByText('[ Cancel ]').click();
    await visit.closed(window);
  });
  const token = await client.token(services.token);
  assert.equal(token?.data.profile, 'missingAspect');
});

visiting('a state of another browser', async (visit, client) => {
  await visit.step('forged return', null, async () => {
    const page = await visit.context.newPage();
    const answer = await page.goto(`${stage.library}/oidc/callback?code=stolen&state=stolen`);
    assert.equal(answer.status(), 403);
    visit.forgive(/status of 403/);
    await client.page.bringToFront();
  });
});

// What happens, so that a change shows: the provider's header ends the viewer's tie to its window.
for (const policy of ['same-origin', 'same-origin-allow-popups']) {
  visiting(`a provider with Cross-Origin-Opener-Policy: ${policy}`, async (visit, client, context) => {
    const services = await client.services('restricted');
    const window = await openAccess(visit, client, services);
    await visit.step('the viewer takes the window for closed', window, async () => {
      await window.locator('input[name=login]').waitFor();
      await until(async () => (await client.closedSamples()).at(-1) === true, 'window.closed to be true');
      assert.ok(!window.isClosed(), 'and it is open');
      const early = await client.token(services.token);
      assert.equal(early?.data.profile, 'missingAspect', 'a token is asked for too early');
    });
    await logInAtProvider(visit, window, 'reader');
    await goOn(visit, window);
    await visit.step('the end of the window', null, async () => {
      // It may close while it is read.
      const words = () => window.locator('h1').innerText().catch(() => '');
      const closes = await until(async () => window.isClosed() || (await words()) !== '', 'an end');
      assert.ok(closes);
      context.diagnostic(window.isClosed() ? 'the window closed' : 'the window stayed open');
    });
    // The login is good all the same: the viewer's next try succeeds.
    await visit.step('the second try', client.page, () => assertOpen(visit, client, services));
  }, policy);
}
