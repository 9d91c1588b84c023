// Waits for a code that the helper window carries here, and redeems it for a cookie. Without a code it
// posts the message beside this script to the viewer: no login arrived.
"use strict";
const AGAIN = "#again";
const page = JSON.parse(document.getElementById("post").textContent);
const post = (message) => window.parent.postMessage(message, page.targetOrigin);

const redeem = async (handOff) => {
  const body = new URLSearchParams({ handOff, ...page.request });
  const response = await fetch(page.redeem, { method: "POST", body });
  const { redeemed, message } = await response.json();
  if (redeemed) {
    // The cookie is here, if the browser has kept it: the token service tells.
    window.location.replace(AGAIN);
    window.location.reload();
  } else {
    post(message);
  }
};

const wait = () => {
  const receive = (event) => {
    const code = event.data?.handOff;
    if (event.origin !== window.location.origin || typeof code !== "string") {
      return;
    }
    clearTimeout(timer);
    window.removeEventListener("message", receive);
    event.source?.postMessage({ handOff: "taken" }, window.location.origin);
    redeem(code).catch(() => post(page.message));
  };
  const timer = setTimeout(() => {
    window.removeEventListener("message", receive);
    post(page.message);
  }, page.waitMs);
  window.addEventListener("message", receive);
};

// The page around this frame may not be the viewer that it says it is: then nothing is taken for it.
const ancestors = window.location.ancestorOrigins;
const isStrange = ancestors?.length && ancestors[0] !== page.targetOrigin;
if (window.parent === window || isStrange || window.location.hash === AGAIN) {
  post(page.message);
} else {
  wait();
}
