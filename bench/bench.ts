// Public calls with `out`, one thread: every native instruction set this CPU has and the JavaScript backend against a
// plain Math.exp loop, with a copy of the same bytes as the yardstick.
//
//   npm run bench [-- --quick] [--json FILE]
//
// Contestants take turns within one run and the medians of the turns are compared, as other processes come and go.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from 'mitata';
import * as js from 'softmax-native/js';
import { type Api, nativeApis } from './native-apis.js';
import { plainCrossEntropy, plainSoftmax } from './plain.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench/results/bench.json' },
  },
});

const shapes: [rows: number, classes: number][] = options.quick
  ? [
      [1, 10],
      [64, 1000],
      [1024, 1024],
    ]
  : [
      [1, 1],
      [1, 10],
      [1, 1000],
      [1, 32000],
      [1, 128256],
      [64, 1000],
      [4096, 10],
      [1536, 128],
      [1024, 1024],
    ];
const turns = options.quick ? 3 : 7;

const median = (numbers: number[]): number =>
  numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;

/** Median nanoseconds of a call, contestants taking turns. */
async function race(contestants: Record<string, () => unknown>): Promise<Record<string, number>> {
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, [] as number[]]));
  for (let turn = 0; turn < turns; turn++)
    for (const [name, run] of Object.entries(contestants)) {
      const { p50 } = await measure(run, { min_cpu_time: 30e6, min_samples: 5 });
      times[name]?.push(p50);
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

function contestantsFor(operation: 'softmax' | 'crossEntropy', rows: number, classes: number) {
  const logits = Float32Array.from({ length: rows * classes }, () => (Math.random() - 0.5) * 12);
  const target = Int32Array.from({ length: rows }, () => Math.floor(Math.random() * classes));
  const out = new Float32Array(logits.length);
  const shape = [rows, classes];
  const call = (api: Api) =>
    operation === 'softmax'
      ? () => api.softmax(logits, { shape, out })
      : () => api.crossEntropy(logits, target, { shape, grad: out });
  const contestants: Record<string, () => unknown> = { memcpy: () => out.set(logits) };
  for (const [isa, api] of Object.entries(natives)) contestants[isa] = call(api);
  contestants.js = call(js);
  contestants['Math.exp loop'] =
    operation === 'softmax'
      ? () => plainSoftmax(logits, out, rows, classes)
      : () => plainCrossEntropy(logits, target, out, rows, classes);
  return contestants;
}

function shownTime(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${nanoseconds.toFixed(0)} ns`;
  return nanoseconds < 1e6 ? `${(nanoseconds / 1e3).toFixed(2)} µs` : `${(nanoseconds / 1e6).toFixed(2)} ms`;
}

const natives = await nativeApis();
const best = Object.keys(natives)[0] ?? 'js';
const results: { operation: string; shape: string; nanoseconds: Record<string, number> }[] = [];
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}; median time of a call, one thread`,
);
for (const operation of ['softmax', 'crossEntropy'] as const) {
  console.log(`\n${operation}${operation === 'crossEntropy' ? ' with gradient' : ''}, float32`);
  let hasHeader = false;
  for (const [rows, classes] of shapes) {
    const nanoseconds = await race(contestantsFor(operation, rows, classes));
    const shape = `${rows}×${classes}`;
    results.push({ operation, shape, nanoseconds });
    const names = Object.keys(nanoseconds);
    if (!hasHeader)
      console.log(
        ['shape'.padEnd(12), ...names.map((name) => name.padStart(14)), `   ${best} : Math.exp loop`].join(
          '',
        ),
      );
    hasHeader = true;
    const gain = (nanoseconds['Math.exp loop'] ?? Number.NaN) / (nanoseconds[best] ?? Number.NaN);
    const cells = names.map((name) => shownTime(nanoseconds[name] ?? Number.NaN).padStart(14));
    console.log([shape.padEnd(12), ...cells, `   ${gain.toFixed(1)}× as fast`].join(''));
  }
}
mkdirSync(dirname(options.json), { recursive: true });
const machine = { cpu: cpus()[0]?.model, node: process.versions.node, date: new Date().toISOString() };
writeFileSync(options.json, `${JSON.stringify({ machine, turns, results }, undefined, 2)}\n`);
console.log(`\nwritten to ${options.json}`);
