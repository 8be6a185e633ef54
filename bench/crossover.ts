// Where JavaScript overtakes native code: times of plain calls of 1 to 64 elements (one row, with `out`) on both, through the
// public functions, beside a plain Math.exp loop. src/backends/tiny.ts has the result.
//
//   npm run bench crossover
//
// Both take turns, and each number is the median of the turns: other processes come and go.

import { cpus } from 'node:os';
import * as js from 'softmax-native/js';
import * as native from 'softmax-native/native';
import { tinyElements } from '../src/backends/tiny.js';
import { plainSoftmax } from './plain.js';

type Api = typeof js | typeof native;
type Name = keyof typeof tinyElements;

const lengths = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 48, 64];
const turns = 15;
const callsOfATurn = 20_000;

function nanoseconds(call: () => unknown): number {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < callsOfATurn; i++) call();
  return Number(process.hrtime.bigint() - begin) / callsOfATurn;
}

/** Median times of calls that take turns, after two turns to warm up. */
function race(calls: readonly (() => unknown)[]): number[] {
  const times: number[][] = calls.map(() => []);
  for (let turn = -2; turn < turns; turn++)
    calls.forEach((call, i) => {
      const time = nanoseconds(call);
      if (turn >= 0) times[i]?.push(time);
    });
  return times.map((list) => list.sort((a, b) => a - b)[turns >> 1] ?? Number.NaN);
}

const random = (length: number) => Float32Array.from({ length }, () => (Math.random() - 0.5) * 12);

function callOf(api: Api, name: Name, length: number): () => unknown {
  const [x, y, out] = [random(length), random(length), new Float32Array(length)];
  const shape = [1, length];
  if (name === 'softmax') return () => api.softmax(x, { shape, out });
  if (name === 'logSoftmax') return () => api.logSoftmax(x, { shape, out });
  if (name === 'softmaxBackward') return () => api.softmaxBackward(x, y, { shape, out });
  return () => api.logSoftmaxBackward(x, y, { shape, out });
}

/** The longest row up to which JavaScript is never slower: all the lengths before it, too. */
function crossoverOf(rows: readonly { length: number; native: number; js: number }[]): number {
  let last = 0;
  for (const row of rows) {
    if (row.js > row.native) break;
    last = row.length;
  }
  return last;
}

const cell = (value: number) => value.toFixed(0).padStart(9);
const model = cpus()[0]?.model ?? 'unknown CPU';
console.log(`${model}, ${native.backend.isa}, Node ${process.versions.node}; ns a call of one row, median`);
for (const name of Object.keys(tinyElements) as Name[]) {
  console.log(`\n${name}\n elements   native       js${name === 'softmax' ? '     loop' : ''}`);
  const rows: { length: number; native: number; js: number }[] = [];
  for (const length of lengths) {
    const [x, out] = [random(length), new Float32Array(length)];
    const [ofNative = Number.NaN, ofJs = Number.NaN, ofLoop = Number.NaN] = race([
      callOf(native, name, length),
      callOf(js, name, length),
      ...(name === 'softmax'
        ? [() => plainSoftmax(x, out, { rows: 1, classes: length, step: 1, rowStep: length })]
        : []),
    ]);
    rows.push({ length, native: ofNative, js: ofJs });
    console.log(cell(length) + cell(ofNative) + cell(ofJs) + (name === 'softmax' ? cell(ofLoop) : ''));
  }
  console.log(
    `JavaScript up to ${crossoverOf(rows)} elements; src/backends/tiny.ts has ${tinyElements[name]}`,
  );
}
