// What the user is told, and the buttons that open an access service.

import { icon } from "./icon.js";
import { plain, say } from "./text.js";

export class Panel {
  #root;
  #live;

  /** Hears of the button of an access service, and of the smaller choices. */
  onaccess = () => {};
  onhurry = () => {};
  onanyway = () => {};
  onretry = () => {};
  onsubstitute = () => {};

  /** `root` is what is seen, `live` the hidden region that is read aloud. */
  constructor(root, live) {
    this.#root = root;
    this.#live = live;
  }

  busy(heading) {
    this.#fill("busy", [line("h2", heading)]);
  }

  /** While the access window is open. */
  waiting(name) {
    const hurry = button("Continue now", "quiet", () => this.onhurry());
    hurry.id = "continue-button";
    this.#fill("busy", [
      line("h2", "Waiting for the other window"),
      line("p", `Finish there (${name}), then close it: the viewer goes on by itself.`),
      row(hurry),
    ]);
    hurry.focus({ preventScroll: true });
  }

  /** The end of a dance: words of the server first, then the ways on. */
  outcome(outcome, { title, shown, choice = 0 }) {
    const { state, trouble } = outcome;
    const parts = [];
    if (trouble) parts.push(...texts(trouble));
    else if (outcome.heading && state !== "granted") parts.push(...texts(outcome));
    else if (!(state === "locked" && doors(outcome)[0]?.heading)) parts.push(...own(outcome, title));

    if (state === "substitute" && shown) parts.push(this.#substitutes(outcome.substitutes, choice));
    if (["locked", "substitute", "refused"].includes(state) && !gone(outcome)) {
      parts.push(...this.#accesses(outcome, parts));
    }
    parts.push(this.#rest(outcome, shown));
    this.#fill(state, parts.filter(Boolean));
  }

  /** For what went wrong before anything could be asked. */
  failed(heading, note) {
    this.#fill("unknown", [line("h2", heading), line("p", note)]);
  }

  focus() {
    (this.#root.querySelector("#access-button") ?? this.#root).focus({ preventScroll: true });
  }

  #accesses(outcome, before) {
    const { state } = outcome;
    const said = before.map((element) => element.textContent);
    return doors(outcome).map((access, index) => {
      const block = document.createElement("div");
      block.className = "access";
      if (state === "refused" && index === 0) block.append(line("p", "Another account may be allowed:", "lead"));
      // Heading and note have to be seen before the window opens, but once.
      for (const part of [say(before.length > 0 ? "h3" : "h2", access.heading), say("p", access.note)]) {
        if (part && !said.includes(part.textContent)) block.append(part);
      }
      const press = button("", state === "refused" || index > 0 ? "second" : "first", () => this.onaccess(access));
      press.append(icon("key"), say("span", access.confirmLabel) ?? say("span", access.label) ?? "Log in");
      press.dataset.accessService = access.id;
      if (index === 0) press.id = "access-button";
      const label = access.confirmLabel && say("span", access.label, "access-label");
      if (label) {
        label.id = `access-label-${index}`;
        press.setAttribute("aria-describedby", label.id);
      }
      const ways = row(press);
      if (label) ways.append(label);
      block.append(ways);
      return block;
    });
  }

  /** Which substitute is on the screen, and a choice where there are more. */
  #substitutes(substitutes, choice) {
    const name = (substitute, index) => plain(substitute.label, `Substitute ${index + 1}`);
    if (substitutes.length === 1) {
      const told = line("p", "", "shown");
      told.append("Shown instead: ", say("strong", substitutes[0].label) ?? "a substitute");
      return told;
    }
    const group = row(
      ...substitutes.map((substitute, index) => {
        const press = button(name(substitute, index), "quiet", () => this.onsubstitute(index));
        press.setAttribute("aria-pressed", index === choice);
        return press;
      }),
    );
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Shown instead");
    return group;
  }

  #rest({ state, status, description }, shown) {
    const choices = [];
    if (state === "unknown" || status === 503) {
      choices.push(button("Ask again", "quiet", () => this.onretry()));
    }
    if (description.info && !shown) {
      const anyway = button("Ask for the tiles anyway", "quiet", () => this.onanyway());
      anyway.id = "anyway-button";
      choices.push(anyway);
    }
    return choices.length > 0 && row(...choices);
  }

  #fill(kind, parts) {
    this.#root.dataset.kind = kind;
    this.#root.replaceChildren(...parts);
    // Copied as plain spans, each in its own language, for the screen reader.
    const heard = [...this.#root.querySelectorAll("h2, h3, p")].map((element) => {
      const span = line("span", `${element.textContent} `);
      span.lang = element.lang;
      return span;
    });
    this.#live.replaceChildren(...heard);
  }
}

/** What can be opened: an external service has no window, so no button. */
function doors({ accesses }) {
  return accesses.filter((access) => access.profile !== "external" && access.id);
}

/** There is no door to a thing that does not exist, or not now. */
function gone({ status }) {
  return status === 404 || status === 410 || status >= 500;
}

function texts({ heading, note }) {
  return [say("h2", heading), note && say("p", note)].filter(Boolean);
}

function own({ state, location, withToken }, title) {
  const yes = location
    ? "The probe sends the viewer on to another address."
    : withToken
      ? "The probe says yes to the token; the content itself comes with the cookie."
      : "The probe says yes without any token.";
  const [heading, note] = {
    open: ["Open to everyone", "No service is declared, nothing is asked."],
    granted: ["Access granted", yes],
    locked: ["Locked", `“${title}” is not for everyone.`],
    substitute: ["A substitute is shown", `“${title}” itself is not for everyone.`],
    refused: ["Refused", "The server gives no reason."],
    unknown: ["No answer", "The server could not be asked."],
  }[state];
  return [line("h2", heading), line("p", note)];
}

function line(name, text, className = "") {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
}

function row(...children) {
  const element = document.createElement("div");
  element.className = "row";
  element.append(...children);
  return element;
}

function button(text, className, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = `button ${className}`;
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}
