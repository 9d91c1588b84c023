// The token service, asked through a hidden frame: a frame sends the cookies
// that the picture's own requests will send, a fetch from another site may not.

const PATIENCE = 10_000;

/**
 * Loads the token service and waits for its message. Returns
 * `{ url, message, from }`, or `{ url, error }` when nothing usable came. With
 * `older`, a message of 1.0 or 0.9, which has no type.
 */
export function askToken(tokenService, { older = false } = {}) {
  const messageId = randomId();
  const url = new URL(tokenService.id);
  url.searchParams.set("messageId", messageId);
  url.searchParams.set("origin", location.origin);

  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.title = "Token service";
    const timer = setTimeout(() => finish({ error: "No message in 10 seconds." }), PATIENCE);

    function finish(outcome) {
      clearTimeout(timer);
      removeEventListener("message", receive);
      frame.remove();
      resolve({ url: url.href, ...outcome });
    }

    // Any window may post to this one: only the frame's own answer counts.
    function receive(event) {
      if (event.source !== frame.contentWindow || event.origin !== url.origin) return;
      const message = event.data;
      if (message?.messageId !== messageId) return;
      const [token, failure] = older ? [undefined, undefined] : ["AuthAccessToken2", "AuthAccessTokenError2"];
      if (message.type === token && typeof message.accessToken === "string" && message.accessToken) {
        finish({ message, from: event.origin });
      } else if (message.type === failure) {
        finish({ message, from: event.origin });
      } else {
        finish({ message, from: event.origin, error: "The message is neither a token nor an error." });
      }
    }

    addEventListener("message", receive);
    frame.src = url.href;
    document.body.append(frame);
  });
}

function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
