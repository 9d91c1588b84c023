// The IIIF project's own validator of the Image API, from PyPI, in an environment of its own.

import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { program } from './programs.mjs';

const SCRIPTS = fileURLToPath(new URL('./validator', import.meta.url));
const VENV = fileURLToPath(new URL('../.venv', import.meta.url));

/** A program of the environment, which is made once. */
export function pythonProgram(name) {
  const done = join(VENV, 'installed');
  if (!existsSync(done)) {
    execFileSync(program('python3'), ['-m', 'venv', '--clear', VENV], { stdio: 'pipe' });
    const pip = join(VENV, 'bin', 'python3');
    execFileSync(pip, ['-m', 'pip', 'install', '-q', '-r', join(SCRIPTS, 'requirements.txt')], { stdio: 'pipe' });
    execFileSync(pip, ['-c', `open(${JSON.stringify(done)}, 'w')`]);
  }
  return join(VENV, 'bin', name);
}

/** Draws the picture that the validator looks for: a hundred squares. */
export function drawReference(path) {
  execFileSync(pythonProgram('python3'), [join(SCRIPTS, 'reference.py'), path], { stdio: 'pipe' });
}

/** The outcome of each test, by its name: `pass`, or in what it failed. */
export async function validate({ port, prefix, identifier, version, seed }) {
  const run = promisify(execFile);
  const { stdout } = await run(
    pythonProgram('python3'),
    [join(SCRIPTS, 'validate.py'), `localhost:${port}`, prefix, identifier, version, String(seed)],
    { maxBuffer: 16 << 20 },
  );
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}
