// What is not an image service: a PDF is embedded, sound is played. Each is linked as well.

import { stream } from "./stream.js";

export class FileView {
  #root;

  constructor(root) {
    this.#root = root;
  }

  open(content, name, onend) {
    const shown = content.type === "Sound" ? sound(content, onend) : embedded(content, onend);
    shown.setAttribute("aria-label", name);

    const link = document.createElement("a");
    link.className = "button second";
    link.href = content.id;
    link.target = "_blank";
    link.textContent = `Open “${name}” in a tab`;
    this.#root.replaceChildren(shown, link);
  }

  close() {
    this.#root.replaceChildren();
  }
}

function embedded(content, onend) {
  const frame = document.createElement("object");
  frame.type = content.format ?? "application/pdf";
  frame.addEventListener("load", () => onend(true));
  frame.addEventListener("error", () => onend(false));
  frame.data = content.id;
  return frame;
}

function sound(content, onend) {
  const audio = document.createElement("audio");
  audio.controls = true;
  audio.addEventListener("loadedmetadata", () => onend(true), { once: true });
  audio.addEventListener("error", () => onend(false), { once: true });
  if (/mpegurl/i.test(content.format)) {
    stream(audio, content.id).catch(() => onend(false));
  } else {
    // By itself: the browser sends the cookie along.
    audio.src = content.id;
  }
  return audio;
}
