// A page that reads what Ramp (`@samvera/ramp`, main of August 2026) reads of a manifest and of the
// flow, and nothing else, and fails where it fails. The published package knows no authorization yet.
// Of pictures it does what Mirador's branch for 2.0 does (July 2026): the probe is the painted body's own,
// and the image service the first of its services.

import { html } from './static-files.mjs';

const page = html(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>As Ramp reads</title>
<p id="message"></p>
<button id="login" hidden></button>
<audio controls></audio>
<img id="picture" alt="">
<script>
  // Of each canvas the first painted body, and its own services. What is no complete access service
  // breaks the whole manifest.
  const read = (manifest) => manifest.items.map((canvas) => {
    const { body } = canvas.items[0].items[0];
    const first = Array.isArray(body) ? body[0] : body;
    const probe = (first.service ?? []).find(({ type }) => type === 'AuthProbeService2');
    if (!probe) return { first };
    const access = probe.service.find(({ type, profile }) => type === 'AuthAccessService2' && ['active', 'kiosk'].includes(profile))
      ?? probe.service[0];
    const inside = (wanted) => access.service.find(({ type }) => type === wanted);
    return { first, probe, access, token: inside('AuthAccessTokenService2'), logout: inside('AuthLogoutService2') };
  });
  const text = (map) => (map ? map[Object.keys(map)[0]][0] : '');

  const probed = async ({ probe }, token) => {
    const response = await fetch(probe.id, token ? { headers: { Authorization: 'Bearer ' + token } } : {});
    const result = await response.json();
    return { ...result, status: result.status ?? response.status };
  };

  // Any message of another origin than the token service's ends it, and so do ten seconds.
  const tokenOf = ({ token }) => new Promise((resolve, reject) => {
    const messageId = String(Math.random());
    const frame = document.createElement('iframe');
    frame.hidden = true;
    const timer = setTimeout(() => reject(new Error('no message')), 10_000);
    addEventListener('message', function heard({ data, origin }) {
      removeEventListener('message', heard);
      clearTimeout(timer);
      frame.remove();
      if (origin !== new URL(token.id).origin) reject(new Error('a message of ' + origin));
      else if (data.messageId !== messageId || !data.accessToken) reject(new Error(text(data.heading) + ': ' + text(data.note)));
      else resolve(data.accessToken);
    });
    frame.src = token.id + '?messageId=' + messageId + '&origin=' + location.origin;
    document.body.append(frame);
  });

  const message = document.querySelector('#message');
  const button = document.querySelector('#login');
  const play = ({ first }) => {
    if (first.type !== 'Image') { document.querySelector('audio').src = first.id; return; }
    const [image] = first.service;
    if (!image.type.startsWith('ImageService')) throw new Error('the image service is not the first');
    document.querySelector('#picture').src = image.id + '/full/400,/0/default.jpg';
  };

  window.ramp = async (url, index) => {
    const items = read(await (await fetch(url)).json());
    const item = items[index];
    const { status, heading, note } = await probed(item);
    if (status === 200) { play(item); return items.length; }
    message.textContent = text(heading) + ': ' + text(note);
    button.textContent = text(item.access.confirmLabel) || text(item.access.label);
    button.hidden = false;
    button.onclick = () => {
      const opened = open(item.access.id + '?origin=' + location.origin);
      const timer = setInterval(async () => {
        if (!opened.closed) return;
        clearInterval(timer);
        try {
          const result = await probed(item, await tokenOf(item));
          message.textContent = result.status === 200 ? 'granted' : text(result.heading);
          if (result.status === 200) play(item);
        } catch (error) {
          message.textContent = String(error);
        }
      }, 500);
    };
    return items.length;
  };
</script>
</html>
`);

export const rampFiles = () => new Map([['/ramp/', page]]);

export async function openRamp(visit, manifest, index) {
  const page = await visit.open(`${visit.stage.viewers}/ramp/`);
  const items = await page.evaluate(([manifest, index]) => window.ramp(manifest, index), [manifest, index]);
  return {
    page,
    items,
    message: page.locator('#message'),
    login: page.locator('#login'),
    picture: page.locator('#picture'),
    playing: () => page.locator('audio').evaluate(({ readyState, error }) => !error && readyState >= 2),
  };
}
