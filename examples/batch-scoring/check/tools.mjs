// What the checks share: files, processes, and what one process makes of a file by calling the library.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { logSoftmax, softmax, tokenLogProbs, topK } from 'softmax-native';
import { headerOf } from '../npy.mjs';
import { Scorings } from '../queue.mjs';
import { OwnRedis } from '../redis.mjs';

export const scratch = mkdtempSync(join(tmpdir(), 'batch-scoring-'));
const servers = new Set();
const children = new Set();
// Also after a check that has failed.
process.on('exit', () => {
  for (const child of children) child.kill('SIGTERM');
  for (const { processId } of servers) process.kill(processId, 'SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});
let files = 0;
/** A name that is not taken. */
export const fileOf = (extension = 'npy') => join(scratch, `${files++}.${extension}`);

const descrs = new Map([
  [Uint16Array, '<f2'],
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
  [Uint8Array, '|u1'],
  [Int32Array, '<i4'],
  [BigInt64Array, '<i8'],
]);
const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);
export const npyOf = (array, shape, descr = `'${descrs.get(array.constructor)}'`) =>
  Buffer.concat([headerOf(descr, shape), bytesOf(array)]);

export function write(bytes, extension) {
  const path = fileOf(extension);
  writeFileSync(path, bytes);
  return path;
}

/** The same at each run. As halves: any that are finite. */
export function logitsOf(length, Elements = Float32Array) {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  if (Elements === Uint16Array) return Uint16Array.from({ length }, () => (next() >>> 16) % 0x4b00);
  return Elements.from({ length }, () => next() / 2 ** 28 - 8);
}

/** The whole output, by one call in this process. */
export function expectedOf(logits, shape, { operation = 'softmax', targets, k } = {}) {
  const dtype = { Uint16Array: 'float16', Float32Array: 'float32', Float64Array: 'float64' };
  const options = { shape, dtype: dtype[logits.constructor.name] };
  if (operation === 'softmax') return npyOf(softmax(logits, options), shape);
  if (operation === 'log-softmax') return npyOf(logSoftmax(logits, options), shape);
  if (operation === 'token-log-probs') {
    return npyOf(tokenLogProbs(logits, targets, options).logProbs, [shape[0]]);
  }
  const { values, indices } = topK(logits, k, { ...options, values: 'probabilities' });
  const rows = [];
  for (let row = 0; row < shape[0]; row++) {
    const [begin, end] = [row * k, (row + 1) * k];
    rows.push(bytesOf(values.slice(begin, end)), bytesOf(indices.slice(begin, end)));
  }
  const descr = `[('values', '${descrs.get(values.constructor)}', (${k},)), ('indices', '<i4', (${k},))]`;
  return npyOf(Buffer.concat(rows), [shape[0]], descr);
}

export function assertOutput(path, expected, what) {
  assert.ok(readFileSync(path).equals(expected), `${what}: other bytes than one process writes`);
}

const program = fileURLToPath(new URL('../main.mjs', import.meta.url));

/** The command line, by itself or by another program. `ended`: of its code and what it printed. */
export function start(args, { env = {}, by = [process.execPath] } = {}) {
  const [command, ...before] = [...by, program, ...args];
  // No cache of the user's.
  const child = spawn(command, before, { env: { ...process.env, XDG_CACHE_HOME: scratch, ...env } });
  children.add(child);
  child.once('exit', () => children.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
    });
  const ended = new Promise((resolve) =>
    child.once('close', (code, signal) => resolve({ code: signal ?? code, output })),
  );
  return { child, ended, output: () => output };
}

export const run = (args, options) => start(args, options).ended;

/** A Redis and scorings on it, for as long as `use` takes. */
export async function withRedis(use) {
  const redis = await OwnRedis.start(join(scratch, `redis-${files++}`));
  servers.add(redis);
  const scorings = new Scorings(redis.url);
  try {
    return await use({ redis, scorings, env: { REDIS_URL: redis.url } });
  } finally {
    await scorings.close();
    await redis.stop({ toKeep: false });
    servers.delete(redis);
  }
}

/** Those that go on have come to their end, and cleared away, before a failure is thrown. */
export async function all(promises) {
  const settled = await Promise.allSettled(promises);
  for (const { reason } of settled) if (reason !== undefined) throw reason;
  return settled.map(({ value }) => value);
}

export async function until(isSo, what, seconds = 30) {
  const last = performance.now() + 1000 * seconds;
  while (!(await isSo())) {
    if (performance.now() > last) throw new Error(`after ${seconds} s not yet: ${what}`);
    await sleep(20);
  }
}
