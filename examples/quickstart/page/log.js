// The step log: numbered entries, each with the JSON that went over the wire.

import { pretty } from "./json.js";

const MOST = 150;
// Steps that the user starts: from there on the log follows again.
const BY_HAND = ["access", "logout"];

export class Log {
  #list;
  #actors;
  #count = 0;

  /** `list` is an <ol>; `actors` holds an element with `data-actor` for each. */
  constructor(list, actors) {
    this.#list = list;
    this.#actors = actors;
  }

  /** Starts a chapter: a line that says what the steps below are for. */
  chapter(text) {
    const item = document.createElement("li");
    item.className = "chapter";
    item.textContent = text;
    this.#append(item, true);
  }

  /**
   * Adds a step. `good` is true or false where there is an outcome; `json` is
   * a list of `[caption, value]`. Returns a function that rewrites the entry.
   */
  add(step, actor, entry) {
    const item = document.createElement("li");
    item.dataset.step = step;
    this.#count += 1;
    const number = this.#count;
    const write = (content) => fill(item, number, step, content);
    write(entry);
    this.#append(item, BY_HAND.includes(step));
    this.#light(actor);
    return write;
  }

  clear() {
    this.#list.replaceChildren();
    this.#count = 0;
    this.#light(null);
  }

  #append(item, follow) {
    const list = this.#list;
    const atEnd = follow || list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    list.append(item);
    while (list.children.length > MOST) list.firstElementChild.remove();
    // Whoever has scrolled back to read is left alone, until the next click.
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  #light(actor) {
    for (const element of this.#actors.querySelectorAll("[data-actor]")) {
      element.toggleAttribute("data-active", element.dataset.actor === actor);
    }
  }
}

function fill(item, number, step, { title, text, request, good, json = [] }) {
  const open = item.querySelector("details")?.open ?? false;
  if (good === undefined) delete item.dataset.good;
  else item.dataset.good = good;

  const head = element("p", "step-head");
  head.append(element("span", "step-number", String(number)), element("span", "step-name", step), element("strong", "step-title", title));
  item.replaceChildren(head, element("p", "step-text", text));
  if (request) item.append(element("p", "step-request", request));
  if (json.length > 0) item.append(disclosure(json, open));
}

function disclosure(json, open) {
  const details = document.createElement("details");
  details.open = open;
  details.append(element("summary", "", "JSON"));
  for (const [caption, value] of json) {
    if (caption) details.append(element("p", "json-caption", caption));
    const block = document.createElement("pre");
    // Long lines scroll inside the block: it has to be within reach of keys.
    block.tabIndex = 0;
    block.append(pretty(value));
    details.append(block);
  }
  return details;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
