// A program's clock, moved: minutes pass for it in a moment.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';

// The time of day as the program is told it, later by the seconds that a file names. How long things take
// is not changed.
const SOURCE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, id, now);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        long later = 0;
        FILE *file = fopen(getenv("CLOCK_LATER"), "r");
        if (file) {
            if (fscanf(file, "%ld", &later) != 1) later = 0;
            fclose(file);
        }
        now->tv_sec += later;
    }
    return (int) failed;
}
`;

/** Variables with which a program has such a clock, and what moves it to so many seconds later. */
export function movingClock(folder) {
  const [source, library, later] = ['clock.c', 'clock.so', 'later'].map((name) => join(folder, name));
  writeFileSync(source, SOURCE);
  execFileSync(program('cc'), ['-shared', '-fPIC', '-o', library, source], { stdio: 'pipe' });
  const moveTo = (seconds) => writeFileSync(later, `${seconds}\n`);
  moveTo(0);
  return { env: { LD_PRELOAD: library, CLOCK_LATER: later }, moveTo };
}
