// A stream of HLS, read by a script as players do, and played piece by piece.

const KIND = 'audio/mp4; codecs="flac"';

/** Plays a playlist; rejects where a piece is refused, or the browser cannot play it. */
export async function stream(audio, playlist) {
  if (!globalThis.MediaSource?.isTypeSupported(KIND)) throw new Error("The browser does not play FLAC in MP4.");
  const lines = (await (await read(playlist)).text()).split("\n");
  const head = lines.map((line) => line.match(/^#EXT-X-MAP:URI="([^"]+)"/)?.[1]).find(Boolean);
  const pieces = lines.filter((line) => line && !line.startsWith("#"));
  const source = new MediaSource();
  audio.src = URL.createObjectURL(source);
  await heard(source, "sourceopen");
  URL.revokeObjectURL(audio.src);
  const buffer = source.addSourceBuffer(KIND);
  for (const piece of [head, ...pieces]) {
    const bytes = await (await read(new URL(piece, playlist))).arrayBuffer();
    buffer.appendBuffer(bytes);
    await heard(buffer, "updateend");
  }
  source.endOfStream();
}

/** With the cookie: on another site that takes the permission of the server, `content_for_scripts`. */
async function read(url) {
  const response = await fetch(url, { credentials: "include" });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response;
}

function heard(target, type) {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}
