// Builds the servers under test, or those that are named, before the first test: while a compiler works
// no test's time is to run.

import { executable as reverseProxy } from '../../proxy/harness/proxy.mjs';
import { checker } from './model-server.mjs';
import { executable as oidc } from './oidc-stage.mjs';
import { executable as quickstart } from './quickstart.mjs';

const servers = { quickstart, oidc, 'reverse-proxy': reverseProxy, checker };

const named = process.argv.slice(2);
const unknown = named.find((name) => !Object.hasOwn(servers, name));
if (unknown !== undefined) throw new Error(`no server called ${unknown}; there are ${Object.keys(servers).join(', ')}`);
for (const name of named.length > 0 ? named : Object.keys(servers)) {
  console.log(`${name}: ${servers[name]()}`);
}
