// The authorization dance: description, probe, token, probe again.
// Everything that is sent or received goes to `report`, nothing is hidden.

import { askJson } from "./ask.js";
import { accessesOf, imageServiceOf, logoutOf, probesOf, tokenOf } from "./services.js";
import { askToken } from "./token-frame.js";

/** Reads what a content resource declares. An image says it in its info.json. */
export async function describe(content, report) {
  const imageService = imageServiceOf(content);
  if (!imageService) {
    report.manifest(content);
    return { content, probes: probesOf(content) };
  }
  const answer = await askJson(`${imageService}/info.json`);
  report.info(answer);
  if (!answer.body || answer.status !== 200) {
    return { content, imageService, probes: [], trouble: answer.error ?? `info.json answered ${answer.status}.` };
  }
  // The manifest may repeat the probe, but info.json has the last word.
  return { content, imageService, info: answer.body, probes: probesOf(answer.body) };
}

/**
 * Finds out whether the described resource may be seen, by every way that
 * needs nothing of the user. With `quick`, no frame is opened.
 */
export async function decide(description, tokens, report, { quick = false } = {}) {
  if (description.trouble) return { state: "unknown", description, trouble: { heading: description.trouble } };
  if (description.probes.length === 0) return { state: "open", description };
  let outcome;
  for (const probe of description.probes) {
    outcome = await pass(description, probe, tokens, report, quick);
    if (outcome.state === "granted") break;
  }
  return outcome;
}

async function pass(description, probe, tokens, report, quick) {
  const accesses = accessesOf(probe);
  let outcome = read(description, probe, await ask(probe, null, report));
  if (outcome.state === "granted") return outcome;

  let trouble;
  const tried = new Set();
  for (const access of accesses) {
    const service = tokenOf(access);
    if (tried.has(service.id)) continue;
    tried.add(service.id);

    let held = tokens.of(service);
    // A viewer asks unbidden only where no window comes first (external), or
    // where the user has been through that window before.
    const mayAsk = !quick && (held?.expired || (!held && access.profile === "external"));
    if (mayAsk) {
      const got = await obtainToken(access, tokens, report);
      if (got.trouble) trouble = got.trouble;
      held = tokens.of(service);
    }
    if (!held || held.expired) continue;
    outcome = read(description, probe, await ask(probe, held.value, report), true);
    if (outcome.state === "granted") return outcome;
  }
  return { ...outcome, trouble };
}

/** After the access service: its token, and the probe once more with it. */
export async function resume(previous, access, tokens, report) {
  const { description, probe } = previous;
  const got = await obtainToken(access, tokens, report);
  if (got.trouble) return { ...previous, trouble: got.trouble };
  const { value } = tokens.of(tokenOf(access));
  return read(description, probe, await ask(probe, value, report), true);
}

/** Asks the token service. Returns `{}` with the token kept, or `{ trouble }`. */
export async function obtainToken(access, tokens, report) {
  const service = tokenOf(access);
  const answer = await askToken(service);
  report.token(answer, service);
  const { message, error } = answer;
  if (!error && message.accessToken) {
    tokens.keep(access, service, logoutOf(access), message);
    return {};
  }
  tokens.forget(service);
  // The message's own words come before those of the description.
  const own = !error && message?.heading;
  return {
    trouble: {
      heading: own ? message.heading : (service.errorHeading ?? "No access token"),
      note: own ? message.note : (service.errorNote ?? error ?? `The token service said: ${message.profile}.`),
    },
  };
}

async function ask(probe, token, report) {
  const answer = await askJson(probe.id, token);
  report.probe(answer, token);
  return answer;
}

/** What a probe's answer means for the user. */
function read(description, probe, answer, withToken = false) {
  const result = answer.body?.type === "AuthProbeResult2" ? answer.body : {};
  const { status } = result;
  const heading = result.heading ?? probe.errorHeading;
  // A note belongs to its heading: never the one's note under the other's.
  const note = result.heading ? result.note : probe.errorNote;
  const outcome = { description, probe, withToken, status, heading, note, accesses: accessesOf(probe) };
  if (status === 200) return { ...outcome, state: "granted" };
  if (status >= 300 && status < 400 && result.location) {
    return { ...outcome, state: "granted", location: result.location };
  }
  if (status === 401) {
    const substitutes = result.substitute ?? [];
    return { ...outcome, substitutes, state: substitutes.length > 0 ? "substitute" : "locked" };
  }
  if (status >= 300) return { ...outcome, state: "refused" };
  return { ...outcome, state: "unknown", trouble: { heading: answer.error ?? "The probe's answer makes no sense." } };
}

/**
 * The description of what to put on the screen, or null for nothing: the
 * resource itself, the one it moved to, or the chosen substitute.
 */
export async function displayed(outcome, tokens, report, choice = 0) {
  const { state, description, location, substitutes } = outcome;
  if (state === "open" || (state === "granted" && !location)) return description;
  if (location) return usable(await describe(location, report));
  if (state !== "substitute") return null;
  // A substitute may be protected in its turn, with a probe of its own.
  const substitute = await describe(substitutes[choice], report);
  const inner = await decide(substitute, tokens, report, { quick: true });
  return ["open", "granted"].includes(inner.state) ? usable(substitute) : null;
}

function usable(description) {
  return description.trouble ? null : description;
}
