// IIPImage's pictures in published viewers, through the proxy: refused before the login, shown after.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logIn } from './harness/access-window.mjs';
import { SIZE, startIipImage } from './harness/iipimage.mjs';
import { setStage } from './harness/stage.mjs';
import { both, granted, isAccess, isImage, isInfo, isToken } from './harness/traffic.mjs';
import { currentViewer, filesOf, olderViewer } from './harness/viewers/index.mjs';
import { sleep } from './harness/wait.mjs';

const PROFILE = 'http://iiif.io/api/image/2/level1.json';

// Each with a base that speaks what it speaks, and with manifests of the same age.
const VIEWERS = [
  { viewer: currentViewer('canvas-panel'), base: '2', manifest: presentation3, infoStatus: 200 },
  { viewer: currentViewer('columbia-mirador'), base: '2', manifest: presentation3, infoStatus: 200 },
  { viewer: olderViewer('mirador'), base: 'older', manifest: presentation2, infoStatus: 401 },
];

let stage;
before(async () => {
  const files = await filesOf(VIEWERS.map(({ viewer }) => viewer));
  stage = await setStage({ files, start: startIipImage });
  for (const { base, manifest } of VIEWERS) {
    for (const id of ['open.tif', 'reader.tif']) {
      const path = manifestPath(base, id);
      const body = JSON.stringify(manifest(stage.viewers + path, `${stage.library}/iiif/${base}/${id}`));
      files.set(path, { type: 'application/json', body, headers: { 'access-control-allow-origin': '*' } });
    }
  }
});
after(() => stage?.strike());

const manifestPath = (base, id) => `/manifests/${base}/${id}.json`;

for (const { viewer, base, infoStatus } of VIEWERS) {
  const showing = (id) => `${stage.viewers}${viewer.path(stage.viewers + manifestPath(base, id))}`;
  const tile = isImage('reader.tif', base);

  test(`${viewer.name}: an open picture`, () =>
    stage.visit(`iipimage ${viewer.name} open`, { noise: viewer.noise }, async (visit) => {
      const page = await visit.open(showing('open.tif'));
      await visit.step('shown', page, async () => {
        await visit.seen(both(isImage('open.tif', base), granted), 'a tile with status 200');
        await visit.assertPicture(viewer.picture(page));
        visit.never(isAccess, 'no access service is opened');
      });
    }));

  test(`${viewer.name}: refused before the login, shown after it`, () =>
    stage.visit(`iipimage ${viewer.name} reader`, { noise: viewer.noise }, async (visit) => {
      const page = await visit.open(showing('reader.tif'));
      await visit.step('refused', page, async () => {
        const described = both(isInfo('reader.tif', base), (entry) => entry.status === infoStatus);
        await visit.seen(described, `info.json with status ${infoStatus}`);
        await viewer.unfold?.(page);
        await viewer.loginButton(page).waitFor();
        await sleep(1_000); // for the tiles that must not come
        visit.never(both(tile, granted), 'no tile comes before the login');
        await visit.assertBlank(viewer.picture(page));
      });

      const beforeLogin = visit.traffic.mark();
      await logIn(visit, page, () => viewer.loginButton(page).click(), 'reader', 'reader');

      const [first] = await visit.step('shown', page, async () => {
        await visit.seen(isToken, 'a token request', { since: beforeLogin });
        await viewer.logoutButton(page).waitFor();
        const nudge = () => viewer.nudge(page);
        await nudge();
        const tiles = await visit.seen(both(tile, granted), 'a tile with status 200', { nudge, since: beforeLogin });
        await visit.assertPicture(viewer.picture(page), nudge);
        return tiles;
      });

      await visit.step('logged out', page, async () => {
        assert.equal(await visit.statusFrom(page, first.url), 200, 'the tile, while logged in');
        const window = await visit.windowFrom(page, () => viewer.logoutButton(page).click());
        await visit.closed(window);
        assert.equal(await visit.statusFrom(page, first.url), 401, 'the tile, after the log-out');
      });
    }));
}

function presentation3(id, image) {
  const service = [{ '@id': image, '@type': 'ImageService2', profile: PROFILE }];
  const painted = { id: `${image}/full/max/0/default.jpg`, type: 'Image', format: 'image/jpeg', ...SIZE, service };
  const target = `${id}/canvas`;
  const painting = { id: `${id}/painting`, type: 'Annotation', motivation: 'painting', body: painted, target };
  const page = { id: `${id}/page`, type: 'AnnotationPage', items: [painting] };
  return {
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    id,
    type: 'Manifest',
    label: { en: ['Ink on blue'] },
    items: [{ id: target, type: 'Canvas', label: { en: ['1'] }, ...SIZE, items: [page] }],
  };
}

function presentation2(id, image) {
  const service = { '@context': 'http://iiif.io/api/image/2/context.json', '@id': image, profile: PROFILE };
  const resource = {
    '@id': `${image}/full/full/0/default.jpg`, '@type': 'dctypes:Image', format: 'image/jpeg', ...SIZE, service,
  };
  const on = `${id}/canvas`;
  const painting = { '@id': `${id}/painting`, '@type': 'oa:Annotation', motivation: 'sc:painting', resource, on };
  const canvas = { '@id': on, '@type': 'sc:Canvas', label: '1', ...SIZE, images: [painting] };
  return {
    '@context': 'http://iiif.io/api/presentation/2/context.json',
    '@id': id,
    '@type': 'sc:Manifest',
    label: 'Ink on blue',
    sequences: [{ '@id': `${id}/sequence`, '@type': 'sc:Sequence', canvases: [canvas] }],
  };
}
