// What is tried in each engine, and what is expected of it. `by`: the cookies that the browser sent
// with the tile. A case without a word on reloading expects the same after it.

const BLOCKED = { token: 'missingAspect', tile: false, by: [] };
const OWN = '__Host-iiif';
const PARTITIONED = '__Host-iiif-p';

const FIREFOX_HEURISTICS = 'privacy.restrict3rdpartystorage.heuristic';

export const FIREFOX = [
  {
    setting: 'as it comes',
    handOff: false,
    steps: ['login', 'reload', 'login again'],
    expected: {
      login: BLOCKED,
      reload: BLOCKED,
      // By then Firefox knows the publisher as a site that its user deals with.
      'login again': { token: true, tile: true, by: [OWN, PARTITIONED] },
    },
  },
  {
    setting: 'as it comes',
    handOff: false,
    steps: ['login elsewhere', 'look', 'grant page', 'look again', 'reload'],
    expected: {
      look: BLOCKED,
      'look again': { token: true, tile: true, by: [PARTITIONED] },
      reload: { token: true, tile: true, by: [PARTITIONED] },
    },
  },
  {
    setting: 'as it comes',
    handOff: true,
    steps: ['login', 'reload'],
    // One click at the publisher is not enough for its other cookie; on the page that asks for a second it was.
    expected: {
      login: { token: true, tile: true, by: [PARTITIONED] },
      reload: { token: true, tile: true, by: [PARTITIONED] },
    },
  },
  {
    setting: 'its leniency with popups off',
    launch: {
      preferences: {
        [`${FIREFOX_HEURISTICS}.opened_window_after_interaction`]: false,
        [`${FIREFOX_HEURISTICS}.window_open`]: false,
      },
    },
    handOff: true,
    steps: ['login', 'reload'],
    expected: {
      login: { token: true, tile: true, by: [PARTITIONED] },
      reload: { token: true, tile: true, by: [PARTITIONED] },
    },
  },
  {
    setting: 'private window',
    launch: { preferences: { 'browser.privatebrowsing.autostart': true } },
    handOff: false,
    steps: ['login', 'reload'],
    expected: { login: BLOCKED, reload: BLOCKED },
  },
  {
    setting: 'private window',
    launch: { preferences: { 'browser.privatebrowsing.autostart': true } },
    handOff: true,
    steps: ['login', 'reload'],
    // One click at the publisher is not enough for its other cookie; on the page that asks for a second it was.
    expected: {
      login: { token: true, tile: true, by: [PARTITIONED] },
      reload: { token: true, tile: true, by: [PARTITIONED] },
    },
  },
  {
    setting: 'all cross-site cookies blocked',
    launch: { preferences: { 'network.cookie.cookieBehavior': 1 } },
    handOff: false,
    steps: ['login', 'reload'],
    expected: { login: BLOCKED, reload: BLOCKED },
  },
  {
    setting: 'all cross-site cookies blocked',
    launch: { preferences: { 'network.cookie.cookieBehavior': 1 } },
    handOff: true,
    steps: ['login', 'reload'],
    // The code arrives and is redeemed, but Firefox keeps no cookie, not even a partitioned one. Without
    // one there is no token.
    expected: { login: BLOCKED, reload: BLOCKED },
  },
  {
    setting: 'all cookies allowed',
    launch: { preferences: { 'network.cookie.cookieBehavior': 0 } },
    handOff: false,
    steps: ['login', 'reload'],
    expected: {
      login: { token: true, tile: true, by: [OWN] },
      reload: { token: true, tile: true, by: [OWN] },
    },
  },
];

const BY_COOKIE = { token: true, tile: true, by: [OWN] };
const ITP = { args: ['--enable-itp'] };

export const WEBKIT = [
  {
    setting: 'as it comes',
    handOff: false,
    steps: ['login', 'reload'],
    expected: { login: BY_COOKIE, reload: BY_COOKIE },
  },
  {
    setting: 'as it comes',
    handOff: true,
    steps: ['login', 'reload'],
    expected: { login: BY_COOKIE, reload: BY_COOKIE },
  },
  {
    setting: 'tracking prevention (ITP)',
    launch: ITP,
    handOff: false,
    steps: ['login elsewhere', 'look'],
    expected: { look: BLOCKED },
  },
  {
    setting: 'tracking prevention (ITP)',
    launch: ITP,
    handOff: false,
    steps: ['login', 'reload'],
    // A login in a window that the viewer opened is taken for consent.
    expected: { login: BY_COOKIE, reload: BY_COOKIE },
  },
  {
    setting: 'tracking prevention (ITP)',
    launch: ITP,
    handOff: true,
    steps: ['login', 'reload'],
    expected: { login: BY_COOKIE, reload: BY_COOKIE },
  },
];
