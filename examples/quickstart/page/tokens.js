// The tokens in hand. They live in this object only: a reload forgets them.

const REMEMBERED = "token-services";

export class Tokens {
  #held = new Map();

  /** Keeps a token under its token service, which several resources share. */
  keep(access, tokenService, logoutService, message) {
    const life = message.expiresIn > 0 ? message.expiresIn * 1000 : Infinity;
    this.#held.set(tokenService.id, {
      value: message.accessToken,
      expires: Date.now() + life,
      access,
      tokenService,
      logoutService,
    });
    this.#remember();
  }

  /** The token of this service, `{ value, expired, … }`, if one was given. */
  of(tokenService) {
    const held = this.#held.get(tokenService.id);
    return held && { ...held, expired: held.expires <= Date.now() };
  }

  /** One entry for each logout service that could end a token in hand. */
  logouts() {
    const services = [...this.#held.values()].map((held) => held.logoutService).filter(Boolean);
    return [...new Map(services.map((service) => [service.id, service])).values()];
  }

  get any() {
    return this.#held.size > 0;
  }

  forget(tokenService) {
    this.#held.delete(tokenService.id);
    this.#remember();
  }

  forgetAfter(logoutService) {
    for (const { tokenService, logoutService: own } of [...this.#held.values()]) {
      if (own?.id === logoutService.id) this.forget(tokenService);
    }
  }

  // The names of the services, not the tokens, outlive a reload of the tab:
  // the session may still be there, and asking again costs one hidden frame.
  #remember() {
    try {
      sessionStorage.setItem(REMEMBERED, JSON.stringify([...this.#held.keys()]));
    } catch {
      // Storage is switched off: after a reload the user logs in again.
    }
  }

  static remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(REMEMBERED)) ?? [];
    } catch {
      return [];
    }
  }
}
