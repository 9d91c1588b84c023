// What the browser asked a site for and what it was told. It is recorded where the TLS ends, not in
// the browser: login windows that close themselves at once take their requests with them.

const CREDENTIALS = /([?&](?:code|token|access_token|accessToken|state|ticket)=)[^&]*/gi;

export class Traffic {
  #entries = [];

  /** Note a request; the returned entry gets its status later. Values of credentials stay out. */
  begin(origin, request) {
    const { headers } = request;
    const entry = {
      time: Date.now(),
      method: request.method,
      url: origin + request.url,
      path: request.url.split('?')[0],
      query: new URL(request.url, origin).searchParams,
      dest: headers['sec-fetch-dest'] ?? '-',
      site: headers['sec-fetch-site'] ?? '-',
      storageAccess: headers['sec-fetch-storage-access'] ?? '-',
      cookies: (headers.cookie ?? '').split(';').map((pair) => pair.split('=')[0].trim()).filter(Boolean),
      bearer: /^bearer /i.test(headers.authorization ?? ''),
      status: null,
      setCookies: [],
      headers: {},
    };
    this.#entries.push(entry);
    return entry;
  }

  end(entry, status, headers) {
    entry.status = status;
    entry.headers = headers;
    entry.setCookies = [headers['set-cookie'] ?? []].flat().map((cookie) => cookie.split('=')[0]);
  }

  /** The connection is gone; if there was no answer, the browser no longer wanted one. */
  close(entry) {
    entry.cancelled = entry.status === null;
  }

  /** A position to count from. */
  mark() {
    return this.#entries.length;
  }

  /** Finished requests since `mark` that `filter` accepts. */
  since(mark, filter = () => true) {
    return this.#entries.slice(mark).filter((entry) => entry.status !== null && filter(entry));
  }

  /** As text, for a person who looks for what went wrong. */
  print(mark = 0) {
    const entries = this.#entries.slice(mark);
    if (entries.length === 0) return '(none)';
    const start = entries[0].time;
    return entries
      .map((entry) => {
        const seconds = ((entry.time - start) / 1000).toFixed(2).padStart(7);
        const url = entry.url.replace(CREDENTIALS, '$1…');
        const carried = [
          entry.cookies.length > 0 && `cookie:${entry.cookies.join('+')}`,
          entry.bearer && 'bearer',
          entry.setCookies.length > 0 && `sets:${entry.setCookies.join('+')}`,
          entry.storageAccess !== '-' && `storage-access:${entry.storageAccess}`,
        ].filter(Boolean).join(' ');
        return `${seconds}s ${entry.status ?? (entry.cancelled ? 'cancelled' : 'unanswered')} ${entry.method} ${url} (${entry.dest}, ${entry.site}) ${carried}`;
      })
      .join('\n');
  }
}

// The kinds of requests the tests talk about, by the quickstart's URIs. `base` is the last segment
// of a base of pictures: `3` is `/iiif/3`.

export const isInfo = (id, base = '3') => (entry) => entry.path === `/iiif/${base}/${id}/info.json`;

const IMAGE = /^\/iiif\/([^/]+)\/([^/]+)\/[^/]+\/[^/]+\/[^/]+\/[^/]+\.(?:jpg|png|webp)$/;

/** An image response: a tile or a whole picture. */
export const isImage = (id, base = '3') => (entry) => {
  const match = IMAGE.exec(entry.path);
  return match !== null && match[1] === base && (id === undefined || match[2] === id);
};

export const isProbe = (id, base = '3') => (entry) =>
  entry.method === 'GET' && entry.path === `/auth/probe/iiif/${base}/${id}`;

// Each may end in the major version of an older family, `/1` or `/0`.
export const isToken = (entry) => /^\/auth\/(?:[^/]+\/)?token(?:\/[01])?$/.test(entry.path);
export const isAccess = (entry) => /^\/auth\/(?:[^/]+\/)?(?:login|accept)(?:\/[01])?$/.test(entry.path);
export const isLogout = (entry) => /^\/auth\/(?:[^/]+\/)?logout(?:\/[01])?$/.test(entry.path);
export const isRedeem = (entry) => entry.path === '/auth/redeem';

export const offersRetry = (entry) => /^retry\b/.test(entry.headers['activate-storage-access'] ?? '');
export const granted = (entry) => entry.status === 200;
export const both = (...filters) => (entry) => filters.every((filter) => filter(entry));
