// The client page (client/) and how the tests drive it.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { html, script } from './static-files.mjs';

const file = (name) => readFile(fileURLToPath(new URL(`../client/${name}`, import.meta.url)));

export async function clientFiles() {
  const page = html(await file('index.html'));
  return new Map([
    ['/client/', page],
    // The same page, which keeps its windows from knowing each other.
    ['/client/cut-off/', { ...page, headers: { 'cross-origin-opener-policy': 'same-origin' } }],
    ['/client/client.js', script(await file('client.js'))],
  ]);
}

export async function openClient(visit, path = '/client/', site = visit.stage.viewers) {
  const page = await visit.open(site + path);
  const call = (method, ...args) => page.evaluate(([method, args]) => window.client[method](...args), [method, args]);
  return {
    page,
    image: (id) => `${visit.stage.library}/iiif/3/${id}`,
    info: (image) => call('info', image),
    probe: (probe, token) => call('probe', probe, token),
    token: (service, options) => call('token', service, options),
    show: (url, options) => call('show', url, options),
    play: (url, options) => call('play', url, options),
    frame: (url) => call('frame', url),
    closedSamples: () => page.evaluate(() => window.client.closedSamples),

    /** Click the button that opens `url`. */
    open: async (url) => {
      await page.evaluate((url) => { window.client.next = url; }, url);
      await page.locator('#open').click();
    },

    /** The services that info.json declares for an image, by their kind. */
    services: async (id) => {
      const { info } = await call('info', `${visit.stage.library}/iiif/3/${id}`);
      const probe = (info.service ?? []).find((service) => service.type === 'AuthProbeService2');
      const access = probe?.service.find((service) => service.type === 'AuthAccessService2');
      const inside = (type) => access?.service.find((service) => service.type === type)?.id;
      return {
        info,
        probe: probe?.id,
        access,
        token: inside('AuthAccessTokenService2'),
        logout: inside('AuthLogoutService2'),
      };
    },
  };
}
