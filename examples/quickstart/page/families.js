// One picture, asked for in every family of the specification: what info.json says without a token
// and with one, and which services it declares.

import { askJson } from "./ask.js";
import { logoutOf, probesOf, accessesOf, tokenOf } from "./services.js";
import { askToken } from "./token-frame.js";

const BASES = [
  ["iiif/3", "2.0"],
  ["iiif/2", "1.0"],
  ["iiif/0.9", "0.9"],
  ["iiif/all", "2.0, 1.0, 0.9"],
];

const OLDER = /^http:\/\/iiif\.io\/api\/auth\/([01])\/(\w+)$/;
const VERSIONS = { 1: "1.0", 0: "0.9" };

export class Families {
  #rows;
  #run = 0;

  /** `rows` is the body of the table. */
  constructor(rows) {
    this.#rows = rows;
  }

  /** Asks for one picture; with tokens, if `known`: the user is logged in. */
  async show(identifier, known) {
    const mine = ++this.#run;
    const answers = await Promise.all(BASES.map(([base]) => ask(identifier, base, known)));
    if (mine !== this.#run) return;
    this.#rows.replaceChildren(...answers.map((answer, index) => row(BASES[index], answer)));
    this.#rows.dataset.showing = identifier;
    this.#rows.dataset.known = known;
  }
}

async function ask(identifier, base, known) {
  const url = new URL(`${base}/${identifier}/info.json`, document.baseURI).href;
  const without = await askJson(url);
  const [older] = olderOf(without.body);
  const [probe] = probesOf(without.body);
  const token = known && (older?.token ?? (probe && tokenOf(accessesOf(probe)[0])));
  const words = [told(without)];
  if (token) {
    const { message, error } = await askToken({ id: token.id ?? token["@id"] }, { older: Boolean(older) });
    if (message?.accessToken) {
      // A token of 2.0 is for the probe, an older one for info.json itself.
      const answer = await askJson(older ? url : probe.id, message.accessToken);
      words.push(older ? told(answer) : `${without.status}; the probe says ${answer.body?.status}`);
    } else {
      words.push(`no token: ${message?.profile ?? message?.error ?? error}`);
    }
  } else {
    words.push("–");
  }
  return { words, services: servicesOf(without.body) };
}

/** The status; what it was redirected to, as the browser followed. */
function told({ url, at, status, error }) {
  if (!status) return error;
  return at && at !== url ? `302 to ${at.split("/").at(-2)}, which says ${status}` : String(status);
}

const list = (value) => [value ?? []].flat();

/** Access services of 1.0 and 0.9, each with what is in it. */
function olderOf(host) {
  return list(host?.service).flatMap((service) => {
    const [, version, pattern] = OLDER.exec(service?.profile) ?? [];
    if (!version || !service.service) return [];
    const inside = list(service.service).map((inner) => [OLDER.exec(inner.profile)?.[2], inner]);
    return [{ version: VERSIONS[version], pattern, token: new Map(inside).get("token"), inside: inside.map(([name]) => name) }];
  });
}

function servicesOf(host) {
  const current = probesOf(host).flatMap((probe) =>
    accessesOf(probe).map((access) =>
      `2.0 probe › ${access.profile} › ${["token", logoutOf(access) && "logout"].filter(Boolean).join(", ")}`));
  const older = olderOf(host).map(({ version, pattern, inside }) => `${version} ${pattern} › ${inside.join(", ")}`);
  return current.concat(older);
}

function row([base, families], { words, services }) {
  const place = element("th", element("code", `/${base}/`), element("span", `speaks ${families}`));
  place.scope = "row";
  const declared = services.length > 0 ? element("ul", ...services.map((service) => element("li", service))) : "none";
  return element("tr", place, ...words.map((word) => element("td", word)), element("td", declared));
}

function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}
