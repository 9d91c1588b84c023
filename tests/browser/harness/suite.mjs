// The test files in the arguments, two at a time. A file that fails runs once more, alone: browsers and
// viewers under load lose a click now and then. What fails twice has failed; what passed only then is named.

import { basename } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const HALF_AN_HOUR = 30 * 60 * 1000;

/** Run `files`, print what they say, and return those that failed. */
async function failedOf(files, concurrency) {
  const failed = new Set();
  const tests = run({ files, concurrency, timeout: HALF_AN_HOUR });
  tests.on('test:fail', ({ file, name }) => failed.add(file ?? name));
  for await (const line of tests.compose(new spec())) process.stdout.write(line);
  return [...failed];
}

const files = process.argv.slice(2);
const first = await failedOf(files, 2);
const second = first.length > 0 ? await failedOf(first, 1) : [];
for (const file of first) {
  console.log(`${second.includes(file) ? 'FAILED twice' : 'passed at the second run only'}: ${basename(file)}`);
}
process.exitCode = second.length > 0 ? 1 : 0;
