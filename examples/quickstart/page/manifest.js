// The manifest: one canvas is one resource to look at.

import { imageServiceOf, probesOf } from "./services.js";
import { plain } from "./text.js";

/** Turns a Presentation 3 manifest into the resources that it presents. */
export function resourcesOf(manifest) {
  return (manifest.items ?? []).map(resourceOf).filter(Boolean);
}

function resourceOf(canvas) {
  const contents = contentsOf(canvas);
  // A canvas may carry a picture as a cover for the thing itself: what
  // declares a probe is the thing itself.
  const content = contents.find((one) => probesOf(one).length > 0) ?? contents.find(imageServiceOf) ?? contents[0];
  if (!content) return null;
  const key = keyOf(imageServiceOf(content) ?? content.id);
  return {
    key,
    title: plain(canvas.label, plain(content.label, key)),
    rule: plain(canvas.summary, RULES[key] ?? ""),
    content,
  };
}

/** Everything that the canvas paints, offers for download or adds. */
function contentsOf(canvas) {
  const annotations = (pages) => (pages ?? []).flatMap((page) => page.items ?? []);
  const bodies = [...annotations(canvas.items), ...annotations(canvas.annotations)]
    .flatMap((annotation) => annotation.body ?? [])
    .flatMap((body) => (body.type === "Choice" ? (body.items ?? []) : body));
  return [...bodies, ...(canvas.rendering ?? [])].filter((body) => body?.id);
}

/** A short name: the last path segment, without a file's extension. */
function keyOf(id) {
  return decodeURIComponent(new URL(id).pathname.split("/").pop()).replace(/\.[a-z0-9]+$/i, "");
}

// Said on the card where the manifest's canvas has no summary.
const RULES = {
  open: "Everyone may see it.",
  terms: "Everyone who accepts the terms of use.",
  reader: "Everyone who is logged in.",
  curator: "Curators only; readers are told why not.",
  embargoed: "Nobody yet, whoever is logged in.",
  tiered: "Logged in: full size. Everyone else: a small version.",
  "reading-room": "Computers in the reading room, by network address.",
  handlist: "A PDF for everyone who is logged in.",
  recording: "A recording for everyone who is logged in.",
  stream: "A stream for everyone who is logged in.",
};
