// topK against a sort by definition: ties, NaN, infinities, zeros, every dtype, axis, mask and k; its values against softmax
// and logSoftmax; its bits.

import { createHash } from 'node:crypto';
import { logSoftmax, softmax, topK } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { any } from '../helpers/calls.js';
import { Random } from '../helpers/random.js';

const { NaN: nan, NEGATIVE_INFINITY: none, POSITIVE_INFINITY: infinite } = Number;
type Values = Float32Array | Float64Array | Uint16Array;

/** The numbers of a row in their order: kept before dropped, NaN before all, larger before smaller, first before next. */
function orderOf(row: readonly number[], sign: number, isKept: (k: number) => boolean): number[] {
  const key = (k: number) => (isKept(k) ? (Number.isNaN(row[k]) ? 2 : 1) : 0);
  return row
    .map((_, k) => k)
    .sort((a, b) => {
      if (key(a) !== key(b)) return key(b) - key(a);
      const [x, y] = [(row[a] as number) * sign, (row[b] as number) * sign];
      return key(a) === 1 && x !== y ? (x > y ? -1 : 1) : a - b;
    });
}

const random = new Random(191);
const kinds = ['float32', 'float64', 'float16', 'bfloat16'] as const;
type KindName = (typeof kinds)[number];
const isHalf = (kind: KindName): kind is 'float16' | 'bfloat16' => kind.endsWith('float16');
function arrayOf(kind: KindName, values: readonly number[]): Values {
  if (kind === 'float32') return Float32Array.from(values);
  if (kind === 'float64') return Float64Array.from(values);
  return Uint16Array.from(values, halfFormats[kind as 'float16'].fromNumber);
}
const numberAt = (kind: KindName, array: Values, i: number): number =>
  isHalf(kind) ? halfFormats[kind].toNumber(array[i] as number) : (array[i] as number);

/** Few values: full of ties. `odd`: how many are no ordinary numbers. */
function someLogits(count: number, odd: number): number[] {
  return Array.from({ length: count }, () => {
    if (random.uniform(0, 1) < odd)
      return [nan, infinite, none, none, 0, -0][Math.floor(random.uniform(0, 6))] as number;
    return Math.round(random.uniform(-60, 60)) / 4;
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('hex');

/** The places of rows along an axis, taken out of an array of the rows. */
function placesOf(
  array: Values,
  indices: readonly number[][],
  at: (row: number, k: number) => number,
): Values {
  const kind = array.constructor as new (length: number) => Values;
  const result = new kind(indices.reduce((sum, row) => sum + row.length, 0));
  let i = 0;
  for (const [row, ofRow] of indices.entries())
    for (const k of ofRow) result[i++] = array[at(row, k)] as number;
  return result;
}

const lengths = [1, 2, 3, 7, 16, 17, 40, 65, 130, 300, 1000, 4100];

describe.each(kinds)('topK of %s', (kind) => {
  test.each(lengths)('rows and columns of %i', (length) => {
    const others = length > 500 ? 3 : 19;
    const said = isHalf(kind) ? { dtype: kind } : {};
    for (const odd of [0, 0.05, 0.6]) {
      const logits = someLogits(length * others, odd);
      const x = arrayOf(kind, logits);
      const read = logits.map((_, i) => numberAt(kind, x, i));
      const mask = Uint8Array.from(logits, () => Number(random.uniform(0, 1) < 0.6));
      for (let k = 0; k < length; k++) mask[k] = 0;
      for (const [axis, scale, isMasked] of [
        [1, 1, false],
        [0, 0.5, true],
        [1, -2, true],
        [0, -1, false],
      ] as const) {
        const shape = axis === 1 ? [others, length] : [length, others];
        const at = (row: number, i: number) => (axis === 1 ? row * length + i : i * others + row);
        const options = any({ ...said, shape, axis, scale, ...(isMasked && { mask }) });
        const sorted = Array.from({ length: others }, (_, row) => {
          const ofRow = Array.from({ length }, (_, i) => read[at(row, i)] as number);
          return orderOf(ofRow, Math.sign(scale), (i) => !isMasked || mask[at(row, i)] === 1);
        });
        const wholes = [
          ['probabilities', softmax(any(x), options)],
          ['logProbabilities', logSoftmax(any(x), options)],
        ] as const;
        for (const k of new Set([0, 1, 2, 5, 33, 64, 65, length >> 1, length].filter((k) => k <= length))) {
          const label = `k ${k}, axis ${axis}, scale ${scale}, ${isMasked ? 'masked' : 'no mask'}, ${odd}`;
          const place = (row: number, i: number) => (axis === 1 ? row * k + i : i * others + row);
          const orders = sorted.map((order) => order.slice(0, k));
          const { values, indices } = topK(any(x), k, options);
          expect(indices).toHaveLength(k * others);
          const found = Int32Array.from({ length: k * others }, (_, i) =>
            k === 0 ? 0 : (indices[place(Math.floor(i / k), i % k)] as number),
          );
          expect(bytesOf(found), label).toBe(bytesOf(Int32Array.from(orders.flat())));
          const dropped = arrayOf(kind, [none])[0] as number;
          const wanted = placesOf(x, orders, at).map((value, i) => {
            const row = Math.floor(i / k);
            const from = at(row, orders[row]?.[i % k] as number);
            if (isMasked && mask[from] !== 1) return dropped;
            return Number.isNaN(read[from]) ? (arrayOf(kind, [nan])[0] as number) : value;
          });
          const inPlaces = (array: Values) =>
            placesOf(
              array,
              orders.map((ofRow) => ofRow.map((_, i) => i)),
              place,
            );
          expect(bytesOf(inPlaces(values as Values)), label).toBe(bytesOf(wanted));
          for (const [kindOf, whole] of wholes) {
            const result = topK(any(x), k, { ...(options as object), values: kindOf });
            expect(bytesOf(result.indices), label).toBe(bytesOf(indices));
            const of = inPlaces(result.values as Values);
            expect(bytesOf(of), `${label}, ${kindOf}`).toBe(bytesOf(placesOf(any(whole), orders, at)));
          }
        }
      }
    }
  });
});

describe('topK', () => {
  test('of long rows: few and many, ascending and descending, all equal', () => {
    const length = 70_000;
    const rows = {
      ascending: Float32Array.from({ length }, (_, i) => i),
      descending: Float32Array.from({ length }, (_, i) => -i),
      equal: new Float32Array(length).fill(-3),
      'nothing but one': new Float32Array(length).fill(none).with(60_000, 1),
      zeros: Float32Array.from({ length }, (_, i) => (i % 2 ? -0 : 0)),
      normal: random.normals(length, 3),
      nans: new Float32Array(length).fill(nan).with(5, 1),
    };
    for (const [name, row] of Object.entries(rows)) {
      const order = orderOf([...row], 1, () => true);
      for (const k of [1, 50, 64, 100, 5000, 40_000, length]) {
        const { indices } = topK(row, k);
        expect(bytesOf(indices) === bytesOf(Int32Array.from(order.slice(0, k))), `${name}, ${k}`).toBe(true);
        const wide = topK(Float64Array.from(row), k, { mask: new Uint8Array(length).fill(1) });
        expect(bytesOf(wide.indices) === bytesOf(indices), `${name}, ${k}, float64`).toBe(true);
      }
    }
  });
  test('numbers next to each other, which differ in the last bits', () => {
    for (const k of [65, 100, 300]) {
      // 7 has no factor in common with 1000: each of 1000 numbers once, in no order.
      const x = Float32Array.from({ length: 1000 }, (_, i) => 1 + ((7 * i) % 1000) * 2 ** -23);
      const { values, indices } = topK(x, k);
      expect(values).toEqual(x.toSorted().reverse().slice(0, k));
      expect(Float32Array.from(indices, (index) => x[index] as number)).toEqual(values);
    }
  });
  test('the temperature changes no order, and gives what softmax gives', () => {
    const x = Float32Array.of(1, 5, 3, 5);
    for (const temperature of [0, 0.1, 1e30, infinite])
      for (const values of ['logits', 'probabilities'] as const) {
        const found = topK(x, 3, { temperature, values });
        expect([...found.indices], `${temperature}`).toEqual([1, 3, 2]);
        const p = softmax(x, { temperature });
        const wanted = values === 'logits' ? [5, 5, 3] : [p[1], p[3], p[2]];
        expect([...found.values], `${temperature}`).toEqual(wanted);
      }
  });
  test('of nothing', () => {
    const empty = new Float32Array(0);
    expect(topK(empty, 0)).toEqual({ values: empty, indices: new Int32Array(0) });
    expect(topK(empty, 2, { shape: [0, 3] })).toEqual({ values: empty, indices: new Int32Array(0) });
    const row = Float32Array.of(none, none);
    const zero = topK(row, 2, { emptyRow: 'zero', values: 'probabilities' });
    expect(zero).toEqual({ values: Float32Array.of(0, 0), indices: Int32Array.of(0, 1) });
    expect([...topK(row, 1, { values: 'probabilities' }).values]).toEqual([nan]);
  });
  test('values of another dtype', () => {
    const x = random.normals(600, 3);
    for (const values of ['logits', 'probabilities', 'logProbabilities'] as const)
      for (const dtype of ['float16', 'bfloat16'] as const) {
        const wide = topK(x, 20, { values }).values;
        const half = topK(x, 20, { values, dtype }).values as Uint16Array;
        expect([...half].map((bits) => bits)).toEqual([...wide].map(halfFormats[dtype].fromNumber));
      }
  });
});

test('topK: one answer on every backend', () => {
  const bits = new Random(20261201);
  const hash = createHash('sha256');
  for (const length of [1, 2, 15, 33, 257, 1000, 4097, 9000]) {
    const x = bits.normals(3 * length, 3);
    for (const data of [x, Float64Array.from(x)])
      for (const options of [{ shape: [3, length] }, { shape: [length, 3], axis: 0, scale: -1 }])
        for (const values of ['logits', 'probabilities', 'logProbabilities'] as const)
          for (const k of [1, Math.min(length, 20), Math.min(length, 100)]) {
            const result = topK(data as Float32Array, k, { ...options, values });
            hash.update(result.values).update(result.indices);
          }
  }
  expect(hash.digest('hex').slice(0, 16)).toBe('c4df0bbbcd6cc1d3');
});
