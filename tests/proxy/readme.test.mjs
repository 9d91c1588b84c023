// The README's way from nothing to a picture, command by command, as it stands there: what each prints is what the
// README shows.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { startNginx } from './harness/nginx.mjs';
import { program } from './harness/programs.mjs';
import { REPOSITORY, executable } from './harness/proxy.mjs';
import { ask } from './harness/raw.mjs';
import { freePort, startServer } from './harness/server.mjs';
import { cookiesOf } from './harness/session.mjs';

const DRAWING = '/usr/share/desktop-base/joy-inksplat-theme/wallpaper/contents/images/3840x2160.svg';
const PASSWORD = 'correct-horse';
const README = readFileSync(join(REPOSITORY, 'proxy/README.md'), 'utf8');

let folder;
let ports;
const servers = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iiif-readme-'));
  ports = {};
  for (const port of ['8080', '8182', '9000', '8000']) ports[port] = await freePort();
  // The checkout that the README is read in, and a picture.
  symlinkSync(join(REPOSITORY, 'proxy'), join(folder, 'proxy'));
  execFileSync(program('vips'), ['svgload', DRAWING, join(folder, 'scan.png')]);
  shell.cwd = folder;
});
after(async () => {
  for (const server of servers.reverse()) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The commands of a chapter, each with the lines that it prints. */
function commandsOf(chapter) {
  const start = README.indexOf(`# ${chapter}\n`);
  assert.ok(start >= 0, chapter);
  const text = README.slice(start).split(/\n#+ /)[0];
  const lines = [...text.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block]) => block.trimEnd().split('\n'));
  const commands = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), prints: [] });
    else commands.at(-1).prints.push(line);
  }
  return commands;
}

/** With free ports in place of the README's. */
const here = (text) => Object.entries(ports).reduce((all, [from, to]) => all.replaceAll(`:${from}`, `:${to}`), text);

/** A line of a log without its time, and without colours. */
const plain = (line) => stripVTControlCharacters(line).replace(/^\S+Z +/, '');
const isLogged = (line) => /^(INFO|WARN) /.test(line);

/** What a shell has between two commands. */
const shell = { cwd: '', env: {} };

async function logs(server, expected) {
  for (let tries = 0; tries < 100; tries += 1) {
    const lines = server.output().split('\n').map(plain);
    if (expected.every((line) => lines.includes(line))) return;
    await sleep(50);
  }
  assert.fail(`${JSON.stringify(expected)} in\n${server.output()}`);
}

async function startNginxFrom(command) {
  const file = command.match(/cp (\S+\.conf) /)[1];
  const name = file.split('/').at(-1);
  const port = ports[name === 'images.conf' ? '8182' : '8000'];
  const site = here(readFileSync(join(REPOSITORY, file), 'utf8'));
  servers.push(await startNginx({ folder, name: `${name}-nginx`, site, port }));
}

async function startIipsrv(command) {
  const port = ports['9000'];
  const [file, ...args] = here(command).replace(/ &$/, '').split(' ');
  assert.equal(file, program('iipsrv.fcgi'), 'where Debian has it');
  const env = { ...shell.env, MEMCACHED_SERVERS: '127.0.0.1:1' };
  servers.push(await startServer({ name: 'iipsrv', command: file, args, env, port }));
}

async function serve(command) {
  const args = here(command).replace(/ &$/, '').split(' ').slice(1);
  const port = ports['8080'];
  const server = await startServer({ name: 'proxy', command: executable(), args, port, cwd: shell.cwd, env: { RUST_LOG: '' } });
  servers.push(server);
  return server;
}

function run(command) {
  const path = [dirname(resolve(executable())), process.env.PATH].join(delimiter);
  // A password is asked for twice.
  const done = spawnSync('sh', ['-c', here(command)], {
    cwd: shell.cwd,
    env: { ...process.env, ...shell.env, PATH: path },
    input: `${PASSWORD}\n${PASSWORD}\n`,
    encoding: 'utf8',
  });
  assert.equal(done.status, 0, `${command}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** Goes the README's way, and gives the proxy that runs at its end. */
async function walk(chapter) {
  let proxy;
  for (const { command, prints } of commandsOf(chapter)) {
    const expected = prints.map(here);
    if (command.startsWith('cargo install ')) {
      assert.ok(existsSync(join(REPOSITORY, command.match(/--path (\S+)/)[1], 'Cargo.toml')), command);
    } else if (command.startsWith('sudo cp ')) {
      await startNginxFrom(command);
    } else if (command.includes('iipsrv.fcgi')) {
      await startIipsrv(command);
    } else if (command.startsWith('export ')) {
      for (const [, name, value] of command.matchAll(/(\w+)=(\S+)/g)) {
        shell.env[name] = value.replace('$PWD', shell.cwd).replaceAll("'", '');
      }
    } else if (command.startsWith('cd ')) {
      shell.cwd = join(shell.cwd, command.slice(3));
    } else if (command.startsWith('iiif-auth-proxy serve')) {
      proxy = await serve(command);
      await logs(proxy, expected);
      const lines = proxy.output().trim().split('\n').map(plain);
      assert.deepEqual(lines, expected, 'nothing else is logged');
    } else {
      const printed = run(command).trimEnd();
      // What a terminal alone is asked.
      const shown = expected.filter((line) => !isLogged(line) && !/^(Password|Again): $/.test(line));
      assert.equal(printed, shown.join('\n'), command);
      // What it writes by itself is for a machine whose ports are free.
      const [, site] = command.match(/^iiif-auth-proxy init (\S+)/) ?? [];
      if (site) {
        const file = join(shell.cwd, site, 'proxy.toml');
        writeFileSync(file, here(readFileSync(file, 'utf8')));
      }
      if (expected.some(isLogged)) await logs(proxy, expected.filter(isLogged));
    }
  }
  return proxy;
}

/** Logs in by the link that the README gives, and goes where that leads. */
async function logInByTheLink(port, known) {
  const [, path] = README.match(new RegExp(`http://localhost:${known}(/auth/login[^\\s\`]+)`));
  const form = await ask(port, path);
  assert.equal(form.status, 200, form.head);
  const answer = await ask(port, path, {
    method: 'POST',
    headers: {
      Cookie: cookiesOf(form),
      Origin: `http://localhost:${port}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: `username=ada&password=${PASSWORD}`,
  });
  assert.equal(answer.status, 303, answer.head);
  const place = new URL(answer.header('location'));
  assert.equal(place.origin, `http://localhost:${port}`);
  return ask(port, place.pathname, { headers: { Cookie: cookiesOf(answer) } });
}

const isJpeg = ({ body }) => Buffer.from(body).subarray(0, 2).equals(Buffer.from([0xff, 0xd8]));

test('from nothing to a picture, with IIPImage', async () => {
  const begun = Date.now();
  await walk('In five minutes, with IIPImage');
  const picture = await logInByTheLink(ports['8080'], '8080');
  assert.ok(picture.status === 200 && isJpeg(picture), picture.head);
  assert.ok(Date.now() - begun < 240_000, 'five minutes, one of them for the reader');
  await servers.pop().stop();
});

test('the same with nginx in front', async () => {
  const proxy = await walk('The same with nginx in front');
  const picture = await logInByTheLink(ports['8000'], '8000');
  assert.ok(picture.status === 200 && isJpeg(picture), picture.head);
  assert.doesNotMatch(proxy.output(), /trusted_proxies/, 'the front is listed');
});
