// Language maps: choosing the words that the user can read.

/**
 * Picks the values of a IIIF language map (`{"en": ["…"]}`) in the first
 * language the user prefers. Returns `{ text, lang }`, or null without words.
 */
export function words(map, preferred = navigator.languages) {
  if (typeof map === "string") return map ? { text: map, lang: "" } : null;
  if (!map || typeof map !== "object") return null;
  const tags = Object.keys(map);
  const tag = match(tags, preferred ?? []);
  const values = tag === undefined ? [] : [map[tag]].flat();
  const text = values.filter((value) => typeof value === "string").join("\n");
  return text ? { text, lang: tag === "none" ? "" : tag } : null;
}

/** The plain text of a language map, or `otherwise`. */
export function plain(map, otherwise = "") {
  return words(map)?.text ?? otherwise;
}

/** An element that says `map` and declares the language it is written in. */
export function say(name, map, className) {
  const found = words(map);
  if (!found) return null;
  const element = document.createElement(name);
  // Plain text by definition: textContent, so that markup stays harmless.
  element.textContent = found.text;
  if (found.lang) element.lang = found.lang;
  if (className) element.className = className;
  return element;
}

function match(tags, preferred) {
  for (const wanted of preferred.map(lower)) {
    const exact = tags.find((tag) => lower(tag) === wanted);
    if (exact) return exact;
    // "de-AT" is content with "de", and "de" with "de-AT".
    const near = tags.find((tag) => lower(tag).split("-")[0] === wanted.split("-")[0]);
    if (near) return near;
  }
  return ["en", "none"].find((tag) => tags.includes(tag)) ?? tags[0];
}

function lower(tag) {
  return tag.toLowerCase();
}
