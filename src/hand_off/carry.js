// Carries the code from the tab that opened this window to the token service's frame in the viewer.
// Both are of this origin; the viewer between them is not, and gets to see nothing.
"use strict";
const STEP_MS = 20;
const PATIENCE_MS = 10000;
const GRACE_MS = 4000;

const tab = window.opener;
const viewer = tab && tab.opener;
let end = Date.now() + PATIENCE_MS;
let found = null;
let foundAt;
let frameCount = 0;

// Whether a form of ours in this tab opened this window, and not whoever holds the tab: once.
const isOwn = () => {
  const value = tab.sessionStorage.getItem("iiif-hand-off");
  tab.sessionStorage.removeItem("iiif-hand-off");
  return Boolean(value) && window.location.hash === `#${value}`;
};

// The one form of the page that asks for a click, where the form before was as good a click.
const clickedForm = (document) => {
  const { forms } = document;
  const action = window.location.pathname.replace(/hand-off$/, "continue");
  const isIt = forms.length === 1 && "clicked" in forms[0].dataset && forms[0].getAttribute("action") === action;
  return isIt ? forms[0] : null;
};

// The tab shows the code once its form is answered; or first the page that asks for a click, where the form
// was the click already. Any other page is another step of the login, whose form opens a helper of its own.
const take = () => {
  try {
    const { document } = tab;
    const root = document.documentElement;
    const element = document.getElementById("hand-off");
    const clicked = document.readyState === "complete" && clickedForm(document);
    if (element) {
      found = JSON.parse(element.textContent);
      foundAt = Date.now();
      tab.close();
    } else if (clicked && !root.dataset.handOff && isOwn()) {
      root.dataset.handOff = "sent";
      clicked.submit();
    } else if (document.readyState === "complete" && !root.dataset.handOff) {
      window.close();
    }
  } catch {
    // For a moment it may show another site's page.
  }
};

// Whether a frame that was loaded since has its token without a code: a cookie reached it.
const isAnswered = ({ document, performance }) =>
  performance.now() < Date.now() - foundAt &&
  Boolean(JSON.parse(document.getElementById("post").textContent).message.accessToken);

const give = () => {
  for (let index = 0; index < viewer.length; index += 1) {
    const frame = viewer[index];
    try {
      if (found.tokenServices.includes(frame.location.pathname)) {
        frame.postMessage({ handOff: found.code }, window.location.origin);
        if (isAnswered(frame)) {
          window.close();
        }
      }
    } catch {
      // A frame of another site, or one that is not there yet.
    }
  }
};

// A frame that came and went may have been the token service's, with an answer of its own: many
// viewers remove it before it can be read here. Then not much is left to wait for.
const hurry = () => {
  if (viewer.length < frameCount) {
    end = Math.min(end, Date.now() + GRACE_MS);
  }
  frameCount = viewer.length;
};

const step = () => {
  if (Date.now() > end || (!found && tab.closed) || viewer.closed) {
    window.close();
    return;
  }
  if (found) {
    give();
    hurry();
  } else {
    take();
  }
  setTimeout(step, STEP_MS);
};

window.addEventListener("message", (event) => {
  if (event.origin === window.location.origin && event.data?.handOff === "taken") {
    window.close();
  }
});

if (viewer) {
  step();
} else {
  window.close();
}
