// sample on this backend against JavaScript, bit by bit: rows that native code takes, and rows that it leaves.

import { sample } from 'softmax-native';
import * as js from 'softmax-native/js';
import { expect, test } from 'vitest';
import { Survivors } from '../src/backends/js/sampling/survivors.js';
import { scalingOf } from '../src/backends/js/scaling.js';
import { any } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const { NEGATIVE_INFINITY: none, NaN: nan, POSITIVE_INFINITY: infinity } = Number;

type Row = Float32Array | Float64Array;

function expectSame(rows: Row, options: object, label: string): void {
  expect(sample(rows as Float32Array, any(options)), label).toEqual(
    js.sample(rows as Float32Array, any(options)),
  );
}

const random = new Random(41);
const newRow = (length: number): Row =>
  random.integer(3) === 0 ? new Float64Array(length) : new Float32Array(length);
const pick = <Value>(...values: Value[]): Value => values[random.integer(values.length)] as Value;

/** Filters that native code has, one or several. */
function filters(): Record<string, unknown> {
  return {
    temperature: pick(1, 1, 0.7, 0.05, 1.6, 0, 1e-4, 30, 1e-35, Infinity),
    topK: pick(0, 0, 0, 1, 2, 5, 50, 400, 3000),
    topP: pick(1, 1, 0.999, 0.9, 0.5, 0.01),
    minP: pick(0, 0, 1e-9, 0.001, 0.05, 0.5, 1),
    typicalP: pick(1, 1, 1, 0.9, 0.2, 1e-6),
    topNSigma: pick(0, 0, 0, 1, 2.5, 1e-3, 1e9),
    minKeep: pick(1, 1, 1, 2, 20),
    keepTies: pick(false, false, true),
    order: pick('temperature-first', 'temperature-last'),
    count: pick(1, 1, 3, 40),
    seed: random.integer(2 ** 32),
  };
}

/** How many most likely classes are wanted, and of what. */
const report = (length: number): object => ({
  top: Math.min(length, pick(0, 0, 1, 3, 20, 400)),
  logProbsOf: pick('raw', 'processed'),
});

/** A row as it may be: of few values, far apart, with a peak, with nothing. */
function fill(row: Row): void {
  const deviation = pick(0, 0.01, 1, 2.2, 10, 1000);
  const center = pick(0, 0, 3, -50, 2000, 1e6, -1e30);
  const step = pick(0, 0, 0.5);
  for (let i = 0; i < row.length; i++) {
    const z = center + random.normal(deviation);
    row[i] = step > 0 ? Math.round(z / step) * step : z;
  }
  for (let i = random.integer(3) * 5; i > 0; i--)
    row[random.integer(row.length)] = center + random.uniform(5, 12);
  if (random.integer(6) === 0) for (let i = 0; i < row.length; i++) if (random.integer(3) > 0) row[i] = none;
  if (random.integer(12) === 0)
    row[pick(0, row.length - 1, random.integer(row.length))] = pick(nan, infinity, none, -0);
  if (random.integer(40) === 0) row.fill(none);
}

test.each([
  ['short', [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 64, 100], 3000],
  ['of a block', [255, 257, 1000, 4095, 4096, 4097], 400],
  ['long', [9000, 20_000, 33_001], 120],
  ['of a vocabulary', [128_256], 25],
] as const)('rows that are %s', (_, lengths, calls) => {
  for (let i = 0; i < calls; i++) {
    const length = pick(...lengths);
    const count = length < 10_000 ? pick(1, 2, 5) : 1;
    const rows = newRow(count * length);
    for (let row = 0; row < count; row++) fill(rows.subarray(row * length, (row + 1) * length));
    const options = { shape: [count, length], ...filters(), ...report(length) };
    expectSame(rows, options, JSON.stringify({ i, ...options }));
  }
});

test('flat rows, of which nearly all are kept', () => {
  for (let i = 0; i < 60; i++) {
    const length = pick(17_000, 20_000, 50_001, 128_256);
    const row = i % 4 === 3 ? new Float64Array(length) : new Float32Array(length);
    const deviation = pick(0.01, 0.1, 0.5, 1);
    for (let k = 0; k < length; k++) row[k] = random.normal(deviation);
    if (random.integer(3) === 0)
      for (let k = 0; k < length; k++) row[k] = Math.round((row[k] as number) * 64) / 64;
    if (random.integer(4) === 0) for (let k = 0; k < length; k += 3) row[k] = none;
    const { order, temperature } = filters();
    const options = { order, temperature, topP: pick(0.999, 0.9, 0.5), count: pick(1, 1, 5), seed: i };
    expectSame(row, options, JSON.stringify({ length, ...options }));
  }
});

test('settings of their own for each row; numbers that are given', () => {
  for (let i = 0; i < 300; i++) {
    const [count, length] = [pick(2, 3, 17), pick(5, 40, 300, 5000)];
    const rows = newRow(count * length);
    for (let row = 0; row < count; row++) fill(rows.subarray(row * length, (row + 1) * length));
    const each = Array.from({ length: count }, filters);
    const draws = pick(1, 2);
    const names = [
      'temperature',
      'topK',
      'topP',
      'minP',
      'typicalP',
      'topNSigma',
      'minKeep',
      'seed',
    ] as const;
    const { order, keepTies } = filters();
    const own = Object.fromEntries(names.map((name) => [name, each.map((one) => one[name])]));
    const options = { shape: [count, length], ...own, order, keepTies, count: draws, ...report(length) };
    expectSame(rows, options, JSON.stringify(options));
    const edges = Array.from({ length: count * draws }, () => pick(0, 1 - 2 ** -53, 0.5, random.uniform()));
    expectSame(rows, { ...options, seed: undefined, uniform: edges }, JSON.stringify({ ...options, edges }));
  }
});

/** What changes logits, of `count` rows. */
function changes(count: number, length: number): object {
  const words = Math.ceil(length / 32);
  const someClasses = () => random.classes(pick(0, 1, 9), length);
  const offsets = Array.from({ length: count + 1 }, (_, row) => 3 * row);
  const tokens = random.classes(3 * count, length);
  return {
    ...pick<object>(
      {},
      { bias: random.normals(length, 2) },
      { bias: Array.from(random.normals(length, 2), (value) => value + 1e-9) },
      { bias: { indices: [0, length - 1, 0], values: [2, none, 0.1] } },
      { bias: { indices: tokens, values: random.normals(3 * count), offsets } },
    ),
    ...pick<object>(
      {},
      { allowed: Int32Array.from({ length: words }, () => random.integer(2 ** 32)) },
      { allowed: Uint32Array.from({ length: words * count }, () => random.integer(2 ** 32)) },
      { allowed: new Uint32Array(words).fill(pick(0, 0xffffffff, 1)) },
    ),
    ...pick<object>(
      {},
      { penalties: { tokens: random.classes(count * 9, length), frequency: 0.4, repetition: 1.3 } },
      { penalties: { tokens, offsets, presence: random.normals(count), repetition: pick(0.5, 1, 7) } },
      { penalties: { tokens: someClasses(), offsets: [...Array(count).fill(0), 0] } },
      { penalties: { tokens, offsets, frequency: -1e308, presence: -1e308 } },
    ),
  };
}

test('penalties, bias, masks; columns; 16 bits', () => {
  for (let i = 0; i < 400; i++) {
    const [count, length] = [pick(1, 2, 3), pick(1, 31, 32, 40, 256, 300, 4097, 5000, 20_000)];
    const rows = newRow(count * length);
    for (let row = 0; row < count; row++) fill(rows.subarray(row * length, (row + 1) * length));
    const isByRow = random.integer(2) === 0;
    const mask = Uint8Array.from({ length: rows.length }, () => random.integer(4));
    const options = {
      ...filters(),
      ...report(length),
      ...(isByRow ? { shape: [count, length] } : { shape: [length, count], axis: 0 }),
      ...changes(count, length),
      ...pick<object>({}, { mask }, isByRow ? { mask: mask.subarray(0, length) } : {}),
    };
    expectSame(rows, options, JSON.stringify({ i, count, length, isByRow, ...options }).slice(0, 2000));
    if (i % 4 !== 0 || rows instanceof Float64Array) continue;
    // As float16 the bits of bfloat16 are other numbers, NaN among them.
    const words = new Uint32Array(rows.buffer);
    const bits = new Uint16Array(rows.length).map((_, k) => (words[k] as number) >>> 16);
    const half = { ...options, dtype: pick('bfloat16', 'float16'), bias: undefined };
    expectSame(any(bits), half, JSON.stringify({ i, count, length, isByRow, ...half }).slice(0, 2000));
  }
});

test('logits in memory that other threads have', () => {
  for (let i = 0; i < 60; i++) {
    const length = pick(5, 300, 5000, 20_000);
    const row = new Float32Array(new SharedArrayBuffer(4 * length));
    fill(row);
    const options = { ...filters(), ...report(length), ...changes(1, length) };
    expectSame(row, options, JSON.stringify({ length, ...options }).slice(0, 2000));
  }
});

test('a bias with a length of its own is read as it is', () => {
  class Own extends Float32Array {
    override get length(): number {
      throw new Error('asked for its length');
    }
  }
  const bias = new Own(40);
  const logits = random.normals(40);
  expect(sample(logits, { seed: 1, bias })).toEqual(sample(logits, { seed: 1 }));
  bias[7] = nan;
  expect(() => sample(logits, { seed: 1, bias })).toThrow('bias[7] = NaN is neither finite nor -Infinity');
});

test('topNSigma whose bound is within rounding of a class', () => {
  for (let i = 0; i < 200; i++) {
    const floats = random.normals(pick(5, 40, 5000), 2);
    const row: Row = i % 3 === 0 ? Float64Array.from(floats, (z) => z * 1.1) : floats;
    const logits = Array.from(row);
    const mean = logits.reduce((sum, logit) => sum + logit, 0) / row.length;
    const squares = logits.reduce((sum, logit) => sum + (logit - mean) ** 2, 0);
    const least = pick(...logits);
    const topNSigma = (Math.max(...logits) - least) / Math.sqrt(squares / row.length);
    expectSame(row, { topNSigma, seed: i }, `${row.length}, ${i}`);
  }
});

test('the last unit of every cumulative weight', () => {
  for (let i = 0; i < 60; i++) {
    const length = pick(1, 2, 50, 1000, 5000, 20_000);
    const floats = random.normals(length, pick(0.5, 3, 8));
    const isDouble = i % 3 === 0;
    const row: Row = isDouble ? Float64Array.from(floats, (z) => z * 1.1) : floats;
    const temperature = pick(1, 0.7);
    const scaling = scalingOf(1 / temperature, isDouble);
    const survivors = new Survivors(length, scaling);
    survivors.take(row, 0, length, none);
    survivors.weigh(scaling);
    const { total, weights, count } = survivors;
    const sums = weights.slice(0, count);
    for (let k = 1; k < count; k++) sums[k] = (sums[k] as number) + (sums[k - 1] as number);
    const uniform = Array.from({ length: 100 }, () => (sums[random.integer(count)] as number) / total)
      .flatMap((u) => [u - 2 ** -53, u, u + 2 ** -53])
      .filter((u) => u >= 0 && u < 1);
    for (const filter of [{}, { topP: 1 - 2 ** -40 }, { minP: 1e-30 }])
      expectSame(row, { temperature, uniform, count: uniform.length, ...filter }, `${length}, ${i}`);
  }
});
