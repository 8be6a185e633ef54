// argMax against a search by definition: ties, NaN, infinities, zeros, every dtype and axis; its limits; its bits.

import { createHash } from 'node:crypto';
import { argMax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { any } from '../helpers/calls.js';
import { Random } from '../helpers/random.js';

const { NaN: nan, NEGATIVE_INFINITY: none, POSITIVE_INFINITY: infinite } = Number;

/** Of the kept ones; −1 if there are none. */
function referenceOf(
  row: readonly number[],
  sign: number,
  kept: (k: number) => boolean = () => true,
): number {
  let found = -1;
  for (const [k, logit] of row.entries()) {
    if (!kept(k)) continue;
    if (Number.isNaN(logit)) return k;
    if (found < 0 || logit * sign > (row[found] as number) * sign) found = k;
  }
  return found;
}

const random = new Random(19);
const lengths = [1, 2, 3, 5, 8, 15, 16, 17, 33, 100, 256, 257, 1000, 4095, 4096, 4097, 9000];
/** Rows full of ties, some with what is no ordinary number. */
function anyLogit(): number {
  const at = random.uniform(0, 1);
  if (at < 0.01) return [nan, infinite, none, 0, -0][Math.floor(random.uniform(0, 5))] as number;
  return Math.round(random.uniform(-40, 40));
}
const kinds = {
  float32: (values: readonly number[]) => [Float32Array.from(values), {}],
  float64: (values: readonly number[]) => [Float64Array.from(values), {}],
  float16: (values: readonly number[]) => [
    Uint16Array.from(values, halfFormats.float16.fromNumber),
    { dtype: 'float16' },
  ],
  bfloat16: (values: readonly number[]) => [
    Uint16Array.from(values, halfFormats.bfloat16.fromNumber),
    { dtype: 'bfloat16' },
  ],
} as const;

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('argMax of %s', (kind) => {
  test.each(lengths)('rows and columns of %i', (length) => {
    const others = length > 300 ? 5 : 37;
    const values = Array.from({ length: length * others }, anyLogit);
    const [x, said] = kinds[kind](values);
    const mask = Uint8Array.from(values, () => Number(random.uniform(0, 1) < 0.7));
    // A row of nothing but −Infinity, and one that the mask empties.
    for (let k = 0; k < length; k++) mask[k] = 0;
    for (const scale of [1, -2]) {
      for (const axis of [0, 1]) {
        const shape = axis === 1 ? [others, length] : [length, others];
        const indexOf = (row: number, k: number) => (axis === 1 ? row * length + k : k * others + row);
        const wanted = (kept: (i: number) => boolean) =>
          Array.from({ length: others }, (_, row) => {
            const ofRow = Array.from({ length }, (_, k) => values[indexOf(row, k)] as number);
            return referenceOf(ofRow, Math.sign(scale), (k) => kept(indexOf(row, k)));
          });
        const options = { ...said, shape, axis, scale };
        expect([...argMax(any(x), any(options))], `axis ${axis}, ${scale}`).toEqual(wanted(() => true));
        const masked = [...argMax(any(x), any({ ...options, mask }))];
        expect(masked, `axis ${axis}, ${scale}, masked`).toEqual(wanted((i) => mask[i] === 1));
      }
    }
  });
});

describe('argMax', () => {
  test('the first of equal ones, of zeros, of NaN', () => {
    expect(argMax(new Float32Array(70).fill(3))[0]).toBe(0);
    expect(argMax(Float32Array.of(-1, -0, 0, -0))[0]).toBe(1);
    expect(argMax(Float32Array.of(infinite, 1, nan, infinite, nan))[0]).toBe(2);
    for (const length of [40, 5000])
      for (const at of [0, 1, 17, length - 2, length - 1]) {
        const row = new Float64Array(length).fill(none);
        expect(argMax(row)[0]).toBe(0);
        row[at] = -1e300;
        expect(argMax(row)[0], `${at} of ${length}`).toBe(at);
        row[length - 1] = nan;
        expect(argMax(row)[0], `NaN behind ${at} of ${length}`).toBe(length - 1);
        row[at] = nan;
        expect(argMax(row)[0], `NaN at ${at} of ${length}`).toBe(at);
      }
  });
  test('temperatures change nothing, also those without a quotient', () => {
    const x = Float32Array.of(1, 5, 3);
    for (const temperature of [0, 0.1, 1e30, infinite]) expect(argMax(x, { temperature })[0]).toBe(1);
    expect(argMax(x, { scale: -1, temperature: infinite })[0]).toBe(0);
    expect([...argMax(x, { shape: [3, 1], temperature: [1, 0, 2] })]).toEqual([0, 0, 0]);
  });
  test('of nothing', () => {
    expect(argMax(new Float32Array(0), { shape: [2, 0] })).toEqual(Int32Array.of(-1, -1));
    expect(argMax(new Float32Array(0), { shape: [0, 2] })).toEqual(new Int32Array(0));
    const empty = Float32Array.of(none, none);
    expect(argMax(empty)[0]).toBe(0);
    expect(argMax(empty, { emptyRow: 'zero' })[0]).toBe(-1);
    expect(argMax(empty, { mask: Uint8Array.of(0, 1) })[0]).toBe(1);
    expect(argMax(Float32Array.of(1, 2), { mask: Uint8Array.of(0, 0) })[0]).toBe(-1);
  });
  test('out: an Int32Array, or a tensor of one', () => {
    const x = { data: Float32Array.of(1, 2, 4, 3), dims: [2, 2], type: 'float32' };
    const out = new Int32Array(2);
    expect(argMax(x, { out })).toBe(out);
    expect(out).toEqual(Int32Array.of(1, 0));
    const tensor = { data: new Int32Array(2), dims: [2], type: 'int32' };
    expect(argMax(x, { out: tensor })).toBe(tensor);
    expect(tensor.data).toEqual(out);
    expect(argMax(x)).toEqual({ data: out, dims: [2], type: 'int32' });
    const wrong =
      'argMax: out must be an Int32Array or a tensor of int32, got a tensor of Int32Array and type "int64"';
    expect(() => argMax(x, { out: { ...tensor, type: 'int64' } })).toThrow(wrong);
    expect(() => argMax(x, { out: any(new Float32Array(2)) })).toThrow('got Float32Array');
  });
});

test('argMax: one answer on every backend', () => {
  const bits = new Random(20261130);
  const hash = createHash('sha256');
  for (const length of [1, 2, 15, 33, 257, 1000, 4097, 9000]) {
    const x = bits.normals(3 * length, 3);
    for (const data of [x, Float64Array.from(x)])
      for (const options of [{ shape: [3, length] }, { shape: [length, 3], axis: 0, scale: -1 }])
        hash.update(argMax(data as Float32Array, options));
  }
  expect(hash.digest('hex').slice(0, 16)).toBe('b16836f17ce7c1ce');
});
