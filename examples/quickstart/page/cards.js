// The resources as cards, each with its state as the server told it.

import { icon } from "./icon.js";

const STATES = {
  open: ["Open to all", "open"],
  locked: ["Locked", "lock"],
  granted: ["Granted", "check"],
  refused: ["Refused", "refused"],
  substitute: ["Substitute", "layers"],
  unknown: ["Unknown", "unknown"],
};

export class Cards {
  #list;
  #cards = new Map();

  /** Hears of the user's choice: the key of a resource. */
  onchoose = () => {};

  constructor(list) {
    this.#list = list;
  }

  show(resources) {
    this.#list.replaceChildren(...resources.map((resource) => this.#card(resource)));
  }

  select(key) {
    for (const [own, card] of this.#cards) card.setAttribute("aria-pressed", own === key);
  }

  state(key, state) {
    const card = this.#cards.get(key);
    if (card.dataset.state === state && card.querySelector(".state").childElementCount > 0) return;
    const [label, symbol] = STATES[state];
    card.dataset.state = state;
    card.querySelector(".state").replaceChildren(icon(symbol), text("span", "", label));
  }

  #card({ key, title, rule }) {
    const card = document.createElement("button");
    card.type = "button";
    card.className = "card";
    card.dataset.resource = key;
    card.setAttribute("aria-pressed", "false");
    card.append(text("span", "card-title", title), text("span", "card-rule", rule), text("span", "state", ""));
    card.addEventListener("click", () => this.onchoose(key));
    this.#cards.set(key, card);
    this.state(key, "unknown");
    const item = document.createElement("li");
    item.append(card);
    return item;
  }
}

function text(name, className, content) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = content;
  return element;
}
