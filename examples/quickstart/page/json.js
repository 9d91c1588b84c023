// JSON for the eye: indented, coloured, and with no token given away.

/** Enough of a token to tell two apart. */
export function short(token) {
  return token.length > 16 ? `${token.slice(0, 6)}…${token.slice(-4)} (${token.length} characters)` : "…";
}

// A list of bare numbers reads better on one line.
const NUMBERS = /\[(\n\s+\d+,?)+\n\s+\]/g;

/** `value` as a document fragment of indented, coloured JSON. */
export function pretty(value) {
  const hide = (key, inner) => (key === "accessToken" && typeof inner === "string" ? short(inner) : inner);
  const fragment = document.createDocumentFragment();
  const part = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null|-?\d[\d.eE+-]*)\b/g;
  const text = (JSON.stringify(value, hide, 2) ?? "").replace(NUMBERS, (list) => list.replace(/\n\s+/g, " "));
  let end = 0;
  for (const match of text.matchAll(part)) {
    const [whole, string, colon] = match;
    fragment.append(text.slice(end, match.index));
    const span = document.createElement("span");
    span.className = colon ? "json-key" : string ? "json-string" : "json-literal";
    span.textContent = string ?? whole;
    fragment.append(span, colon ?? "");
    end = match.index + whole.length;
  }
  fragment.append(text.slice(end));
  return fragment;
}
