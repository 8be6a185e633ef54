// Kernels take rows of float32 together, several steps of several rows in one loop: in batches, in a pipeline, transposed.
// Each row has the bits that it has alone, whatever its neighbours are, in place or not.

import { crossEntropy, logSoftmax, logSumExp, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { Random } from './helpers/random.js';

const random = new Random(18);
const normal = (length: number, factor: number, middle = 0) =>
  Float32Array.from({ length }, () => middle + factor * random.normal());

/** Rows that the loops serve, and those that need something else. */
const kinds: readonly ((length: number) => Float32Array)[] = [
  (length) => normal(length, 3),
  (length) => normal(length, 3).fill(Number.NaN, length >> 1, (length >> 1) + 1),
  (length) => normal(length, 60),
  (length) => normal(length, 3).fill(Number.POSITIVE_INFINITY, 1, 2),
  (length) => normal(length, 1e37),
  (length) => new Float32Array(length).fill(Number.NEGATIVE_INFINITY),
  (length) => normal(length, 3).fill(Number.NEGATIVE_INFINITY, 0, length - 1),
  (length) => new Float32Array(length).fill(-200).fill(0.25, length - 1),
  (length) => normal(length, 3, 5000),
  (length) => normal(length, 0),
  (length) => new Float32Array(length).fill(3e38),
  // A log-sum-exp as good as 0, which its largest logit and the others' sum make up.
  (length) => new Float32Array(length).fill(-30).fill(-5e-10, 1, 2),
  (length) => new Float32Array(length).fill(-30).fill(5e-10, 2, 3),
];

/** All kinds beside each other, and ordinary rows between them; of many rows, most sixteens are of ordinary ones alone. */
function rowsOf(count: number, length: number): Float32Array[] {
  return Array.from({ length: count }, (_, row) => {
    const isOrdinary = row % 3 === 0 || (count >= 128 && (row >> 4) % 4 !== 1);
    const kind = kinds[isOrdinary ? 0 : random.integer(kinds.length)] as (length: number) => Float32Array;
    return kind(length);
  });
}

const options: Record<string, { scale?: number; temperature?: number }> = {
  'as they are': {},
  'at temperature 0.7': { temperature: 0.7 },
  'times -1.5': { scale: -1.5 },
  'at temperature 0': { temperature: 0 },
  'at temperature 1e32': { temperature: 1e32 },
};

const bits = (values: Float32Array | Float64Array) => Buffer.from(values.buffer).toString('hex');

/** Results of the size of x, and of one number per row; losses with and without a gradient. */
function resultsOf(x: Float32Array, shape: number[], target: number[], option: object, inPlace: boolean) {
  const call = (fn: typeof softmax) => {
    const out = x.slice();
    return fn(inPlace ? out : x, { ...option, shape, out });
  };
  // Losses have no limit at temperature 0, nor have log-sum-exps.
  if ('temperature' in option && option.temperature === 0)
    return { ofElements: [call(softmax), call(logSoftmax)], ofRows: [] };
  const grad = x.slice();
  const losses = { ...option, shape, reduction: 'none', ignoreIndex: -1 } as const;
  const alone = crossEntropy(x, target, losses);
  const weight = Float32Array.from({ length: shape[1] as number }, (_, c) => (c % 3) / 2);
  const loss = crossEntropy(inPlace ? grad : x, target, { ...losses, grad, weight });
  return {
    ofElements: [call(softmax), call(logSoftmax), grad],
    ofRows: [logSumExp(x, { ...option, shape }), loss.loss, loss.logSumExp, alone.loss, alone.logSumExp],
  };
}

describe.each([
  [160, 4],
  [165, 5],
  [182, 10],
  [175, 32],
  [161, 33],
  [169, 64],
  [182, 127],
  [8, 257],
  [9, 300],
  [75, 300],
  [20, 128],
  [37, 131],
  [53, 131],
  [8, 200],
  [33, 255],
  [16, 256],
  [21, 512],
  [13, 1000],
  [9, 1024],
  [10, 2047],
  [11, 3952],
  [9, 4096],
])('%d rows of %d', (count, length) => {
  /** `optionOf`: of a row that is alone. */
  function compare(option: object, optionOf: (row: number) => object): void {
    const rows = rowsOf(count, length);
    const target = rows.map((_, row) => (row % 5 === 4 && row < 48 ? -1 : random.integer(length)));
    const x = new Float32Array(count * length);
    rows.forEach((row, i) => {
      x.set(row, i * length);
    });
    for (const inPlace of [false, true]) {
      const together = resultsOf(x, [count, length], target, option, inPlace);
      rows.forEach((row, i) => {
        const alone = resultsOf(row, [1, length], [target[i] as number], optionOf(i), inPlace);
        together.ofElements.forEach((values, k) => {
          const own = values.slice(i * length, (i + 1) * length);
          expect(bits(own), `array ${k}, row ${i}`).toBe(bits(alone.ofElements[k] as Float32Array));
        });
        together.ofRows.forEach((values, k) => {
          expect(bits(values.slice(i, i + 1)), `number ${k}, row ${i}`).toBe(
            bits(alone.ofRows[k] as Float32Array),
          );
        });
      });
    }
  }

  test.each(Object.entries(options))('%s', (_, option) => {
    compare(option, () => option);
  });

  test('at temperatures of their own', () => {
    // A vector of them may have one whose factor needs a unit of its own (scaling.h).
    const ordinary = (row: number) => (row % 4 === 3 ? 1 : 0.5 + row / count);
    const temperature = Array.from({ length: count }, (_, row) => (row % 40 === 37 ? 1e35 : ordinary(row)));
    compare({ temperature }, (row) => ({ temperature: temperature[row] }));
  });
});
