// Wiring: cards, viewer, message and log, around one dance at a time.

import { askJson } from "./ask.js";
import { Cards } from "./cards.js";
import { decide, describe, displayed, obtainToken, resume } from "./flow.js";
import { Families } from "./families.js";
import { FileView } from "./file.js";
import { Log } from "./log.js";
import { LogoutButtons } from "./logout.js";
import { resourcesOf } from "./manifest.js";
import { Panel } from "./panel.js";
import { Report, nameOf, silent } from "./report.js";
import { accessesOf, imageServiceOf, tokenOf } from "./services.js";
import { plain } from "./text.js";
import { pyramid, single } from "./tiles.js";
import { Tokens } from "./tokens.js";
import { Viewer } from "./viewer.js";
import { openWindow, whenClosed, windowUrl } from "./window.js";

const LOGIN_PATIENCE = 10 * 60_000;
const LOGOUT_PATIENCE = 30_000;

const at = (id) => document.getElementById(id);

const tokens = new Tokens();
const log = new Log(at("log"), at("actors"));
const report = new Report(log);
const cards = new Cards(at("resources"));
const viewer = new Viewer(at("viewer"));
const file = new FileView(at("file"));
const panel = new Panel(at("message"), at("announcer"));
const logouts = new LogoutButtons(at("session"));
const families = new Families(at("families"));
const stage = at("stage");

let resources = [];
let chosen;
let outcome;
let screen;
// Each choice of the user starts a new run; answers to an older one are late.
let run = 0;

// Choosing

/** The address of the page names the card, so that a reload comes back to it. */
function fragment(key) {
  return `#${encodeURIComponent(key)}`;
}

async function choose(key) {
  chosen = resources.find((resource) => resource.key === key);
  history.replaceState(null, "", fragment(key));
  cards.select(key);
  log.chapter(chosen.title);
  await dance(async () => decide(await describe(chosen.content, report), tokens, report));
}

/** Runs one dance to its end and shows what came of it. */
async function dance(steps, { heading = "Asking…", keep = false } = {}) {
  const mine = ++run;
  if (!keep) clear();
  panel.busy(heading);
  const found = await steps();
  if (mine !== run) return false;
  outcome = found;
  cards.state(chosen.key, outcome.state);
  logouts.show(tokens.logouts());
  await present(mine);
  if (mine !== run) return false;
  const imageService = imageServiceOf(chosen.content);
  if (imageService) families.show(imageService.split("/").at(-1), tokens.any);
  kiosk();
  return true;
}

async function present(mine, choice = 0) {
  const description = await displayed(outcome, tokens, report, choice);
  if (mine !== run) return;
  show(description);
  panel.outcome(outcome, { title: chosen.title, shown: Boolean(description), choice });
}

// The screen

function clear() {
  screen = undefined;
  viewer.close();
  file.close();
  stage.dataset.showing = "nothing";
  delete stage.dataset.source;
}

function show(description, { expected = true } = {}) {
  if (!description) return clear();
  const { content, info, imageService } = description;
  // What is on the screen already stays as it is, zoom and all. Tiles that
  // were asked for in vain are another matter: those get a new chance.
  if (expected && screen === content.id) return;
  clear();
  screen = expected ? content.id : undefined;
  stage.dataset.source = imageService ?? content.id;
  if (info || content.type === "Image") {
    stage.dataset.showing = "image";
    viewer.ontile = report.tiles(expected);
    viewer.open(info ? pyramid(info, imageService) : single(content), plain(content.label, chosen.title));
  } else {
    stage.dataset.showing = "file";
    file.open(content, chosen.title, (loaded) => report.file(content.id, loaded));
  }
}

// The access service

/** The click that opens the window is the gesture that the flow asks for. */
async function enter(access) {
  const url = windowUrl(access);
  const opened = openWindow(url);
  const before = outcome;
  if (!opened) {
    report.blocked(url);
    panel.outcome(
      { ...before, trouble: { heading: "The window was blocked", note: "Allow pop-ups for this page and press the button again." } },
      { title: chosen.title, shown: stage.dataset.showing !== "nothing" },
    );
    return;
  }
  report.opened(url, access);
  const impatience = new AbortController();
  panel.onhurry = () => impatience.abort();

  const mine = ++run;
  panel.waiting(nameOf(access));
  report.closed(await whenClosed(opened, { patience: LOGIN_PATIENCE, signal: impatience.signal }));
  if (mine !== run) return;

  const held = tokens.of(tokenOf(access))?.value;
  const finished = await dance(() => resume(before, access, tokens, report), {
    heading: "Asking for a token…",
    keep: true,
  });
  if (!finished) return;
  if (outcome.state === "granted" && stage.dataset.showing === "image") viewer.focus();
  else panel.focus();
  if (tokens.of(tokenOf(access))?.value !== held) await survey(chosen.key);
}

/** A kiosk's window opens by itself, once, where the browser lets it. */
const kiosksTried = new Set();
function kiosk() {
  const access = outcome.accesses?.find(({ profile, id }) => profile === "kiosk" && !kiosksTried.has(id));
  if (!access || ["open", "granted"].includes(outcome.state)) return;
  kiosksTried.add(access.id);
  enter(access);
}

// The logout service

async function leave(service) {
  const url = windowUrl(service);
  const opened = openWindow(url);
  report.logoutOpened(url, service);
  logouts.busy();
  if (opened) await whenClosed(opened, { patience: LOGOUT_PATIENCE });
  tokens.forgetAfter(service);
  kiosksTried.clear();
  report.loggedOut();
  logouts.show(tokens.logouts());
  if (chosen) await choose(chosen.key);
  panel.focus();
  await survey(chosen?.key);
}

// The other cards

/** Asks for every card but `except` what a newcomer, or a token, would get. */
async function survey(except) {
  const answers = await Promise.all(
    resources
      .filter(({ key }) => key !== except)
      .map(async ({ key, content }) => {
        const description = await describe(content, silent);
        const { state, status } = await decide(description, tokens, silent, { quick: true });
        // A card chosen meanwhile is told by its own dance.
        if (key !== chosen?.key) cards.state(key, state);
        return { key, description, state, status };
      }),
  );
  report.survey(answers, tokens.any);
  return answers;
}

/** After a reload: the tokens are gone, the session may still be alive. */
async function recall(answers) {
  const remembered = new Set(Tokens.remembered());
  for (const access of answers.flatMap(({ description }) => description.probes.flatMap(accessesOf))) {
    if (!remembered.delete(tokenOf(access).id)) continue;
    log.chapter("Before the page was loaded again you were logged in");
    await obtainToken(access, tokens, report);
  }
  if (tokens.any) await survey();
  logouts.show(tokens.logouts());
}

async function start() {
  panel.busy("Reading the manifest…");
  log.chapter("On arrival");
  const { status, body, error } = await askJson(new URL("manifests/all.json", document.baseURI).href);
  if (!body?.items) {
    panel.failed("The manifest could not be read", error ?? `The server answered ${status}.`);
    return;
  }
  resources = resourcesOf(body);
  cards.show(resources);
  await recall(await survey());
  const first = resources.find(({ key }) => fragment(key) === location.hash) ?? resources[0];
  if (first && !chosen) await choose(first.key);
}

cards.onchoose = (key) => {
  choose(key);
  // On a narrow screen the picture lies below the cards.
  if (stage.getBoundingClientRect().top > innerHeight * 0.4) stage.scrollIntoView({ block: "start" });
};
panel.onaccess = enter;
panel.onretry = () => choose(chosen.key);
panel.onsubstitute = (choice) => present(run, choice);
panel.onanyway = () => {
  show(outcome.description, { expected: false });
  panel.outcome(outcome, { title: chosen.title, shown: true });
};
logouts.onlogout = leave;
at("zoom-in").addEventListener("click", () => viewer.zoom(1.6));
at("zoom-out").addEventListener("click", () => viewer.zoom(1 / 1.6));
at("zoom-fit").addEventListener("click", () => viewer.reset());
at("clear-log").addEventListener("click", () => log.clear());
start().catch((failure) => panel.failed("This should not happen", String(failure)));
