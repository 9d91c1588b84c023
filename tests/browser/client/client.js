// A client of the IIIF Authorization Flow API 2.0 that does what the specification tells clients to
// do and nothing else. The tests drive it through `window.client`; what it sees is also written on
// the page, for the screenshots.

const ORIGIN = window.location.origin;

const client = {
  /** The window opened last, and what its `closed` looked like every 50 ms since. */
  window: null,
  closedSamples: [],
  next: null,

  log(what) {
    document.querySelector('#log').append(`${what}\n`);
  },

  async info(image) {
    const response = await fetch(`${image}/info.json`);
    const info = await response.json();
    client.log(`info ${response.status} ${info.id}`);
    return { status: response.status, info };
  },

  async probe(probe, token) {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(probe, { headers });
    const result = await response.json();
    client.log(`probe ${token === undefined ? 'without token' : 'with token'}: HTTP ${response.status}, status ${result.status}`);
    const text = (map) => (map ? Object.values(map).flat().join(' ') : '');
    document.querySelector('#heading').textContent = text(result.heading);
    document.querySelector('#note').textContent = text(result.note);
    return { http: response.status, contentType: response.headers.get('content-type'), result };
  },

  /**
   * Load the token service in a hidden frame and wait for its message. `query` replaces the
   * parameters a good client sends. Resolves to null if nothing arrives in time.
   */
  token(service, { messageId = crypto.randomUUID(), query, timeout = 5_000 } = {}) {
    const search = query ?? `messageId=${encodeURIComponent(messageId)}&origin=${encodeURIComponent(ORIGIN)}`;
    return new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.hidden = true;
      const finish = (answer) => {
        window.removeEventListener('message', receive);
        clearTimeout(timer);
        frame.remove();
        client.log(answer ? `token message: ${answer.data?.type} ${answer.data?.profile ?? ''}` : 'no token message');
        resolve(answer);
      };
      const receive = (event) => {
        if (event.source !== frame.contentWindow) return;
        finish({ data: event.data, origin: event.origin, messageId });
      };
      const timer = setTimeout(() => finish(null), timeout);
      window.addEventListener('message', receive);
      frame.src = `${service}?${search}`;
      document.body.append(frame);
    });
  },

  /** Show an image as any page would; or as those do that want to read it, without any cookie. */
  show(url, { anonymous = false } = {}) {
    const picture = document.querySelector('#picture');
    picture.crossOrigin = anonymous ? 'anonymous' : null;
    return new Promise((resolve) => {
      picture.onload = () => resolve(true);
      picture.onerror = () => resolve(false);
      picture.src = url;
    }).then((shown) => {
      client.log(`picture ${shown ? 'shown' : 'refused'}: ${url}`);
      return shown;
    });
  },

  /** Play a sound in the same two ways; whether it plays. */
  play(url, { anonymous = false } = {}) {
    const audio = new Audio();
    audio.crossOrigin = anonymous ? 'anonymous' : null;
    audio.muted = true;
    return new Promise((resolve) => {
      audio.ontimeupdate = () => { if (audio.currentTime > 0.2) resolve(true); };
      audio.onerror = () => resolve(false);
      audio.src = url;
      audio.play().catch(() => resolve(false));
    }).then((played) => {
      audio.pause();
      client.log(`sound ${played ? 'plays' : 'refused'}: ${url}`);
      return played;
    });
  },

  /** Does a page of the image server load in a frame here? A frame that was refused stays opaque. */
  frame(url, timeout = 3_000) {
    return new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.onload = () => resolve(frame);
      setTimeout(() => resolve(frame), timeout);
      frame.src = url;
      document.body.append(frame);
    }).then((frame) => frame.remove());
  },
};

document.querySelector('#open').addEventListener('click', () => {
  const opened = window.open(client.next);
  client.window = opened;
  client.closedSamples = [];
  const timer = setInterval(() => {
    client.closedSamples.push(opened === null || opened.closed);
    if (opened === null || opened.closed) {
      clearInterval(timer);
      client.log('window closed');
    }
  }, 50);
});

window.client = client;
