// Everything one test file needs: the quickstart, or another server, behind its TLS front on one site,
// the viewers on another, and browsers to visit them. The two sites share no registrable domain, so
// every cookie the viewers depend on is a third-party cookie.

import { makeCertificate } from './certificate.mjs';
import { launchBrowser } from './browser.mjs';
import { startHttpsSite } from './https-site.mjs';
import { startQuickstart } from './quickstart.mjs';
import { pathOf, serveFiles } from './static-files.mjs';
import { FRONT, forwardTo } from './tls-front.mjs';
import { Traffic } from './traffic.mjs';
import { Visit } from './visit.mjs';

export const LIBRARY = 'iiif.library.test';
export const VIEWER_SITE = 'viewer.example.test';

const notReady = (request, response) => response.writeHead(503).end();

/**
 * `files`: what the viewer site serves, path → { type, body }; `libraryFiles`: what the image
 * server's own site serves beside the quickstart; `handOff`: whether the quickstart carries logins
 * into the viewer's page; `flags`: further flags of the quickstart; `start`: what starts the server for a
 * `publicUrl`; `others`: further sites, hostname → handler.
 */
export async function setStage({ files = new Map(), libraryFiles = new Map(), handOff = false, flags = [], start = startQuickstart, others = {} } = {}) {
  const certificate = makeCertificate([LIBRARY, VIEWER_SITE, ...Object.keys(others)]);
  const traffic = new Traffic();
  // The front first: the server has to be told the public address it will be known by.
  const library = await startHttpsSite({ certificate, hostname: LIBRARY, traffic, handler: notReady });
  const viewers = await startHttpsSite({ certificate, hostname: VIEWER_SITE, handler: serveFiles(files) });
  const further = [];
  for (const [hostname, handler] of Object.entries(others)) {
    further.push(await startHttpsSite({ certificate, hostname, handler }));
  }
  const closeSites = () => Promise.all([library, viewers, ...further].map((site) => site.close()));
  let server;
  try {
    server = await start({ publicUrl: library.origin, handOff, flags });
  } catch (error) {
    await closeSites();
    throw error;
  }
  const [toServer, toFile] = [forwardTo(server.port, FRONT), serveFiles(libraryFiles)];
  library.handler = (request, response) =>
    (libraryFiles.has(pathOf(request)) ? toFile : toServer)(request, response);

  return {
    library: library.origin,
    viewers: viewers.origin,
    others: Object.fromEntries(Object.keys(others).map((hostname, index) => [hostname, further[index].origin])),
    traffic,
    serverOutput: server.output,

    /**
     * Run `body` with a fresh browser. When it fails, print what led there; in every case close
     * the browser.
     */
    async visit(name, { noise, ...options }, body) {
      const hostnames = [LIBRARY, VIEWER_SITE, ...Object.keys(others)];
      const browser = await launchBrowser({ certificate, hostnames, ...options });
      const visit = new Visit({ name, stage: this, context: browser.context, noise });
      try {
        await body(visit);
        visit.assertNoComplaints();
      } catch (error) {
        await visit.report(error);
        throw error;
      } finally {
        await browser.close();
      }
    },

    async strike() {
      await closeSites();
      await server.stop();
    },
  };
}
