// One button for each logout service that can end a token in hand.

import { icon } from "./icon.js";
import { say } from "./text.js";

export class LogoutButtons {
  #root;

  /** Hears of the logout service that was chosen. */
  onlogout = () => {};

  constructor(root) {
    this.#root = root;
  }

  show(services) {
    this.#root.replaceChildren(...services.map((service, index) => this.#button(service, index)));
    this.#root.hidden = services.length === 0;
  }

  busy() {
    for (const button of this.#root.children) button.disabled = true;
  }

  #button(service, index) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    button.dataset.logoutService = service.id;
    if (index === 0) button.id = "logout-button";
    button.append(icon("leave"), say("span", service.label) ?? "Log out");
    button.addEventListener("click", () => this.onlogout(service));
    return button;
  }
}
