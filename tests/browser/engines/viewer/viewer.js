// The flow of Authorization Flow 2.0 as viewers go through it, and what came of each step.

const image = new URLSearchParams(window.location.search).get('image');
const seen = {};
window.seen = seen;

const services = fetch(`${image}/info.json`)
  .then((response) => response.json())
  .then(({ service: [probe] }) => {
    const [access] = probe.service;
    const inside = (type) => access.service.find((service) => service.type === type).id;
    return {
      probe: probe.id,
      access: access.id,
      token: inside('AuthAccessTokenService2'),
      logout: inside('AuthLogoutService2'),
    };
  });

/** The message of the token service in a hidden frame, and how long it took. */
async function token() {
  const { token } = await services;
  const frame = document.createElement('iframe');
  frame.hidden = true;
  const start = performance.now();
  const message = await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), 10_000);
    window.addEventListener('message', (event) => {
      if (event.source !== frame.contentWindow) return;
      clearTimeout(timer);
      resolve(event.data);
    });
    frame.src = `${token}?messageId=1&origin=${window.location.origin}`;
    document.body.append(frame);
  });
  frame.remove();
  return {
    type: message?.type ?? null,
    profile: message?.profile,
    note: message?.note && Object.values(message.note).flat().join(' '),
    accessToken: message?.accessToken,
    ms: Math.round(performance.now() - start),
  };
}

async function probe(accessToken) {
  const { probe } = await services;
  const headers = accessToken ? { Authorization: `Bearer ${accessToken}` } : {};
  const response = await fetch(probe, { headers });
  return (await response.json()).status;
}

/** Whether a tile is shown; each has its own address, so that none comes from a cache. */
function tile() {
  const left = Date.now() % 10_000;
  const picture = document.querySelector('#tile');
  return new Promise((resolve) => {
    picture.onload = () => resolve(true);
    picture.onerror = () => resolve(false);
    picture.src = `${image}/${left},0,512,512/256,/0/default.jpg`;
  });
}

/** Token, probe and tile, as after a login. */
window.look = async () => {
  const { accessToken, ...message } = await token();
  return { token: message, probe: await probe(accessToken), tile: await tile() };
};

/** What the click on the button opens. */
window.next = 'access';

const open = (service) => {
  const start = performance.now();
  const opened = window.open(service);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (opened && !opened.closed) return;
      clearInterval(timer);
      resolve({ opened: opened !== null, closedAfter: Math.round(performance.now() - start) });
    }, 50);
  });
};

services.then(({ access, logout }) => {
  document.querySelector('#open').addEventListener('click', async () => {
    if (window.next === 'access') {
      seen.window = await open(`${access}?origin=${window.location.origin}`);
      seen.after = await window.look();
    } else {
      window.open(logout);
    }
  });
  seen.ready = true;
});
window.tile = tile;

/** The publisher's page that asks for storage access, in a frame that one can see. */
window.grant = async () => {
  const { token } = await services;
  const frame = document.createElement('iframe');
  frame.width = 600;
  frame.height = 400;
  window.addEventListener('message', (event) => {
    if (event.source === frame.contentWindow) seen.granted = event.data;
  });
  frame.src = `${token.replace(/token$/, 'grant')}?origin=${window.location.origin}`;
  document.body.append(frame);
};
