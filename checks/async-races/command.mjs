// What all scripts of this directory are given, and how they report.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Numbers and the directory of a built package. */
export function readCommand(defaults) {
  const numbers = Object.fromEntries(
    Object.keys({ seed: 0, ...defaults }).map((key) => [key, { type: 'string' }]),
  );
  const { values } = parseArgs({
    options: {
      ...numbers,
      package: { type: 'string' },
      quick: { type: 'boolean' },
      only: { type: 'string' },
    },
  });
  const root = resolve(values.package ?? fileURLToPath(new URL('../..', import.meta.url)));
  const given = Object.fromEntries(
    Object.keys(numbers).flatMap((key) => (values[key] === undefined ? [] : [[key, Number(values[key])]])),
  );
  for (const [key, value] of Object.entries(given))
    if (!Number.isInteger(value) || value < 0)
      throw new Error(`--${key} takes an integer, got ${values[key]}`);
  const seed = given.seed ?? Math.floor(Math.random() * 2 ** 31);
  return { ...defaults, ...given, seed, root, isQuick: values.quick === true, only: values.only };
}

export const load = (root) => import(pathToFileURL(`${root}/dist/index.mjs`).href);

setFlagsFromString('--expose-gc');
/** A full collection of garbage. */
export const collect = runInNewContext('gc');

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Memory of this process that is in use, in MiB: the least of several looks, after collections of garbage. */
export async function residentMemory() {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 8; look++) {
    collect();
    await pause(30);
    least = Math.min(least, process.memoryUsage.rss() / 2 ** 20);
  }
  return least;
}

/** Threads of this process, where the system tells. */
export function threadCount() {
  try {
    return Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}

/** Fails where promises do not settle: a hang is a finding. */
export async function inTime(promise, what, seconds = 120) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hang after ${seconds} s: ${what()}`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
