// Waits for a code that the helper window carries here, redeems it, and posts the outcome to the
// viewer. Without a code it posts the message beside this script: no login arrived.
"use strict";
const AGAIN = "#again";
const page = JSON.parse(document.getElementById("post").textContent);
const post = (message) => window.parent.postMessage(message, page.targetOrigin);

const redeem = async (handOff) => {
  const body = new URLSearchParams({ handOff, ...page.request });
  const response = await fetch(page.redeem, { method: "POST", body });
  const { message } = await response.json();
  return message;
};

// Another frame may have redeemed the code: then the cookie is there, and this one asks anew, once.
const finish = (message) => {
  if (message.accessToken) {
    post(message);
  } else {
    window.location.hash = AGAIN;
    window.location.reload();
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
    redeem(code).then(finish, () => post(page.message));
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
