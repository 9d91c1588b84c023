// The storyteller: says in plain words what each step of the dance was.

import { short } from "./json.js";
import { logoutOf, probesOf } from "./services.js";
import { plain } from "./text.js";

/** Tells every step to the log, one entry each. */
export class Report {
  constructor(log) {
    this.log = log;
  }

  info({ url, status, body, error }) {
    const probes = probesOf(body).length;
    this.log.add("info", "image", {
      title: "Read the picture's description",
      text: error ?? (probes > 0
        ? "Anyone may read info.json. It declares a probe service, so the picture is protected."
        : "Anyone may read info.json. It declares no probe service, so the picture is open."),
      request: line("GET", url, status),
      good: Boolean(body) && status === 200,
      json: body ? [["info.json", body]] : [],
    });
  }

  manifest(content) {
    this.log.add("info", "image", {
      title: "Read the file's description",
      text: "A file has no info.json: the manifest itself declares its probe service.",
      request: path(content.id),
      json: [["From the manifest", content]],
    });
  }

  probe({ url, status, body, error }, token) {
    const result = body?.status;
    this.log.add("probe", "probe", {
      title: token ? "Ask the probe, with the token" : "Ask the probe, without a token",
      text: error ?? `“Would I get it?” The probe's own answer is HTTP 200; inside it says ${result}: ${meaning(body, token)}`,
      request: line("GET", url, status) + (token ? `\nAuthorization: Bearer ${short(token)}` : ""),
      good: result >= 200 && result < 400,
      json: body ? [["Probe result", body]] : [],
    });
  }

  opened(url, access) {
    this.log.add("access", "access", {
      title: "Access window opened",
      text: "What happens in it stays between the user and the server; the viewer only waits until it is closed.",
      request: line("GET", url),
      json: [["The access service, as declared", access]],
    });
  }

  blocked(url) {
    this.log.add("access", "access", {
      title: "Access window blocked",
      text: "The browser did not open the window. A click on the button is needed, or a pop-up permission.",
      request: line("GET", url),
      good: false,
    });
  }

  closed(how) {
    this.log.add("access", "access", {
      title: how === "closed" ? "Access window closed" : "Gone on without waiting",
      text: "No message comes from the window. Whether the user got in, only the token service can tell.",
    });
  }

  token({ url, message, from, error }, service) {
    this.log.add("token", "token", {
      title: "Load the token service in a hidden frame",
      text: "The browser sends the frame the same cookie, or address, that it will send for the picture.",
      request: line("GET", url),
      json: [["The token service, as declared", service]],
    });
    const granted = !error && message.accessToken;
    this.log.add("token", "token", {
      title: granted ? "A token came by message" : message ? "An error came by message" : "No message came",
      text: error ?? (granted
        ? "Sender, message id and type are as expected. The token only opens the probe, never the picture."
        : `The server does not see the right to a token (${message.profile}).`),
      request: from ? `message from ${from}` : undefined,
      good: Boolean(granted),
      json: message ? [["Message", message]] : [],
    });
  }

  logoutOpened(url, service) {
    this.log.add("logout", "access", {
      title: "Logout window opened",
      text: "The server ends the session, deletes its cookie and revokes the tokens.",
      request: line("GET", url),
      json: [["The logout service, as declared", service]],
    });
  }

  loggedOut() {
    this.log.add("logout", "access", {
      title: "Tokens forgotten",
      text: "The viewer throws its tokens away and asks everything again.",
    });
  }

  /** Many resources asked at once: two entries, not twenty. */
  survey(answers, withTokens) {
    const infos = answers.filter(({ description }) => description.imageService).length;
    const probed = answers.filter(({ status }) => status !== undefined);
    this.log.add("info", "image", {
      title: `Read ${infos} descriptions`,
      text: "For every card, its info.json: those that declare no probe service are open to everyone.",
      good: answers.every(({ state }) => state !== "unknown"),
    });
    this.log.add("probe", "probe", {
      title: `Ask ${probed.length} probes${withTokens ? ", with the tokens at hand" : ""}`,
      text: withTokens
        ? "One token serves every resource under the same token service, so the other cards may change too."
        : "Without a token, as any newcomer. The answers are the states on the cards.",
      json: [["Status in the probe results", Object.fromEntries(probed.map(({ key, status }) => [key, status]))]],
    });
  }

  /** One entry that grows with the tiles of one picture. */
  tiles(expected) {
    const counts = new Map();
    const latest = [];
    let rewrite;
    return ({ url, ok, status }) => {
      const name = status || (ok ? "loaded" : "failed");
      counts.set(name, (counts.get(name) ?? 0) + 1);
      latest.unshift({ url: path(url), status: name });
      latest.length = Math.min(latest.length, 8);
      const failures = [...counts].some(([one]) => !(one === "loaded" || one < 400));
      const entry = {
        title: [...counts].map(([one, count]) => `${count} ${count === 1 ? "tile" : "tiles"}: ${one}`).join(", "),
        text: tilesMeaning(failures, expected),
        good: !failures,
        json: [["The latest", latest]],
      };
      if (rewrite) rewrite(entry);
      else rewrite = this.log.add("tiles", "image", entry);
    };
  }

  file(url, loaded) {
    this.log.add("tiles", "image", {
      title: loaded ? "The file is shown" : "The browser cannot show the file here",
      text: loaded
        ? "The request for the file carries the cookie, not the token."
        : "The link below the frame opens it in a tab of its own.",
      request: line("GET", url),
      good: loaded,
    });
  }
}

/** Says nothing: for the answers that `survey` sums up. */
export const silent = { info() {}, manifest() {}, probe() {}, token() {} };

/** The access service an entry of a description belongs to, in one line. */
export function nameOf(access) {
  return plain(access.label, plain(logoutOf(access)?.label, "this service"));
}

function meaning({ status, substitute, location } = {}, token) {
  if (status === 200) return "yes.";
  if (status >= 300 && status < 400) return location ? "yes, but at another address." : "elsewhere.";
  if (status === 401 && substitute?.length) return "not yet, but here is a substitute.";
  if (status === 401) return "not yet; an access service may help.";
  if (status === 403) return token ? "no, not to the user behind this token." : "no.";
  if (status === 404 || status === 410) return "there is nothing.";
  if (status === 503) return "not now, try later.";
  return "an answer the viewer cannot use.";
}

function tilesMeaning(failures, expected) {
  if (!failures) return "Plain <img> requests, without a token: the cookie (or the address) opens them.";
  return expected
    ? "The probe said yes, the tiles say no: the browser probably holds the cookie back (third-party cookies)."
    : "The tiles are guarded themselves. Hiding them in the viewer would not be protection.";
}

function line(method, url, status) {
  return `${method} ${path(url)}${status ? ` → ${status}` : ""}`;
}

/** Addresses on this server are shown without scheme and host. */
function path(url) {
  const { origin, href } = new URL(url);
  return origin === location.origin ? decodeURIComponent(href.slice(origin.length)) : href;
}
