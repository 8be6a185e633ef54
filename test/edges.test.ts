// Edge cases of the contract: special values, huge logits, rows of several blocks.

import {
  crossEntropy,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { Random } from './helpers/random.js';
import { bitsOf, firstDifference } from './helpers/reference.js';
import {
  canonicalNan,
  classes,
  expectNan,
  expectRowAccurate,
  floats,
  fromBits,
  lengths,
  places,
} from './helpers/rows.js';

describe('−Infinity, +Infinity and NaN', () => {
  test.each(lengths)('a row of %d times −Infinity', (length) => {
    const row = new Float32Array(length).fill(-Infinity);
    expectNan(softmax(row), length);
    expectNan(logSoftmax(row), length);
    expectNan(softmax(row, { temperature: 0 }), length);
    expectNan(softmax(row, { temperature: Infinity }), length);
    expectNan(softmax(row, { temperature: 3 }), length);
    expect(logSumExp(row)).toEqual(floats(-Infinity));
    const result = crossEntropy(row, classes(length - 1), { grad: true, reduction: 'none' });
    expectNan(result.loss, 1);
    expectNan(result.grad, length);
    expect(result.logSumExp).toEqual(floats(-Infinity));
  });

  test.each(lengths)('+Infinity in a row of %d', (length) => {
    for (const place of places(length)) {
      const row = new Random(20).normals(length);
      row[place] = Infinity;
      for (const options of [{}, { temperature: 0 }, { temperature: Infinity }, { scale: 3 }]) {
        expectNan(softmax(row, options), length, `[${place}]`);
        expectNan(logSoftmax(row, options), length, `[${place}]`);
      }
      expect(logSumExp(row)).toEqual(floats(Infinity));
      for (const target of places(length)) {
        const result = crossEntropy(row, classes(target), { grad: true, reduction: 'none' });
        expectNan(result.loss, 1, `[${place}], target ${target}`);
        expectNan(result.grad, length, `[${place}], target ${target}`);
        expect(result.logSumExp).toEqual(floats(Infinity));
      }
    }
  });

  // Quiet and signalling, of either sign, with payloads.
  test.each([0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff])(
    'the NaN with bits %i makes the row NaN',
    (nan) => {
      for (const length of lengths)
        for (const place of places(length)) {
          const row = new Random(21).normals(length);
          new Uint32Array(row.buffer)[place] = nan;
          const label = `[${place}] of ${length}`;
          for (const options of [{}, { temperature: 0 }, { temperature: Infinity }, { scale: -3 }]) {
            expectNan(softmax(row, options), length, label);
            expectNan(logSoftmax(row, options), length, label);
          }
          expectNan(logSumExp(row), 1, label);
          for (const target of places(length)) {
            const result = crossEntropy(row, classes(target), { grad: true, reduction: 'none' });
            expectNan(result.loss, 1, label);
            expectNan(result.grad, length, label);
            expectNan(result.logSumExp, 1, label);
          }
          const finite = new Random(22).normals(length);
          expectNan(softmaxBackward(row, finite), length, label);
          expectNan(softmaxBackward(finite, row), length, label);
          expectNan(logSoftmaxBackward(row, finite), length, label);
        }
      expect([...bitsOf(logSoftmaxBackward(floats(1, 2), fromBits(nan, 0)))]).toEqual([
        canonicalNan,
        0xbf800000,
      ]);
    },
  );

  test('such rows leave their neighbours alone', () => {
    const good = new Random(23).normals(40);
    const logits = floats(
      ...good,
      ...good.map(() => -Infinity),
      ...good,
      ...good.fill(NaN, 7, 8),
      ...good.fill(0),
    );
    const p = softmax(logits, { shape: [5, 40] });
    const y = logSoftmax(logits, { shape: [5, 40] });
    for (const row of [0, 2, 4]) {
      const alone = logits.slice(40 * row, 40 * row + 40);
      expect(firstDifference(p.slice(40 * row, 40 * row + 40), softmax(alone)), `${row}`).toBeUndefined();
      expect(firstDifference(y.slice(40 * row, 40 * row + 40), logSoftmax(alone)), `${row}`).toBeUndefined();
    }
    for (const row of [1, 3]) expectNan(p.slice(40 * row, 40 * row + 40), 40, `${row}`);
  });

  test('−Infinity beside numbers has probability +0 and log-probability −Infinity', () => {
    expect(softmax(floats(-Infinity, 2, -Infinity, 2))).toEqual(floats(0, 0.5, 0, 0.5));
    expect(logSoftmax(floats(3, -Infinity))).toEqual(floats(0, -Infinity));
    expect(logSumExp(floats(-Infinity, 3, -Infinity))).toEqual(floats(3));
    // With a negative scale +Infinity is the smallest.
    expect(softmax(floats(Infinity, 2, 2), { scale: -1 })).toEqual(floats(0, 0.5, 0.5));
    expectNan(softmax(floats(-Infinity, 2, 2), { scale: -1 }), 3);
  });

  test('+Infinity and NaN in one block', () => {
    for (const row of [floats(Infinity, NaN), floats(NaN, 1, Infinity), floats(Infinity, Infinity, NaN)]) {
      expectNan(logSumExp(row), 1);
      expectNan(softmax(row), row.length);
      for (const target of [0, 1]) expectNan(crossEntropy(row, classes(target)).logSumExp, 1);
    }
  });

  test('+Infinity in one block and NaN in another', () => {
    for (const [infinity, nan] of [
      [0, 12288],
      [12288, 0],
      [5000, 5001],
    ] as const) {
      const row = new Float32Array(12289);
      row[infinity] = Infinity;
      expect(logSumExp(row)).toEqual(floats(Infinity));
      row[nan] = NaN;
      expectNan(logSumExp(row), 1);
      expectNan(softmax(row), 12289);
    }
  });
});

describe('huge logits', () => {
  const largest = 3.4028234663852886e38;
  const neighbour = 3.4028232635611926e38;
  test.each([
    ['the largest float', [largest, largest, 0, -largest]],
    ['the largest and its neighbour', [neighbour, largest]],
    ['the smallest', [-largest, -largest]],
    ['the smallest and its neighbour', [-neighbour, -largest]],
    ['1e30', [1e30, -1e30, 1e30, 5, 0]],
    ['-1e30', [-1e30, -1e30, -1.1e30]],
    ['-1e30 below small ones', [-1e30, 1, 2, 3]],
    ['one class', [largest]],
  ])('%s', (_name, values) => {
    const row = floats(...values);
    for (let target = 0; target < row.length; target++) expectRowAccurate(row, target);
    for (let target = 0; target < row.length; target++) expectRowAccurate(row, target, -1);
  });

  test.each([0.5, 0.25, 1e-10, 1e-37])('differences beyond float32 times %d are within it', (multiplier) => {
    // 3e38 and −3e38 are 6e38 apart: Infinity in float32; but not after the multiplication.
    expectRowAccurate(floats(3e38, -3e38), 1, multiplier);
    expectRowAccurate(floats(-3e38, 3e38, 3e38), 0, multiplier);
  });

  test('large logits, scaled to just below 2^21', () => {
    const row = [-809375.4375, -809373.1875, -809373.625, -809372.8125, -809372.5625, -809375.25, -809374.25];
    expectRowAccurate(floats(...row), 3, -2.165994754440203);
    const random = new Random(24);
    for (let i = 0; i < 200; i++) {
      const multiplier = random.uniform(0.1, 5) * (random.uniform() < 0.5 ? -1 : 1);
      const center = random.uniform(5e5, 2.09e6) / multiplier;
      expectRowAccurate(random.uniforms(8, center - 5, center + 5), random.integer(8), multiplier);
    }
  });

  // Beyond 2^21 the maximum is subtracted instead of a power of two.
  test.each([
    2097151.875, 2097152, 2097152.25, 2.9e6, 1e7, -2097151.875, -2097152, -2097152.25, -2.9e6, -1e7,
  ])('a few units around %d', (top) => {
    expectRowAccurate(floats(top, top - 1, top - 2, top - 7, top - 30, top - 86, top - 3e6), 1);
    expectRowAccurate(floats(top - 100, top - 100, top, -top), 2);
    expectRowAccurate(floats(...Array.from({ length: 5000 }, (_, i) => top - (i % 97))), 4999);
    // The same threshold for scaled logits.
    expectRowAccurate(floats(top / 8, (top - 1) / 8, (top - 30) / 8), 1, 8);
    expectRowAccurate(floats(top * 0.7, top * 0.7 - 3, top * 0.7 - 20), 1, 1 / 0.7);
  });
});

describe('rows of several blocks', () => {
  const block = 4096;

  test.each([0, 4095, 4096, 8191, 8192, 12287, 12288])('the maximum at [%d] of 12289', (place) => {
    const row = new Random(30).normals(12289, 3);
    row[place] = 20;
    expectRowAccurate(row, place);
    expectRowAccurate(row, 12288 - place);
  });

  test('blocks of very different magnitude, and of nothing but −Infinity', () => {
    for (const [first, second, third, last] of [
      [0, -3e6, -1e30, -2.4e6],
      [-1e30, -2.6e6, -Infinity, 0],
      [-Infinity, -Infinity, 5, -Infinity],
      [-3e6, -3e6, -Infinity, -3e6 + 2],
      [60, -30, 0, 61],
      [2e6, 2e6 - 3, 1e6, -2e6],
      [3e6, 3e6 - 3, 2e6, -2e6],
      [-2.45e6, -2.55e6, -2.0e6, -2.0e6 + 1],
    ] as const) {
      const row = new Float32Array(12289);
      row
        .fill(first, 0, block)
        .fill(second, block, 2 * block)
        .fill(third, 2 * block, 3 * block)
        .fill(last, 3 * block);
      expectRowAccurate(row, 12288);
      expectRowAccurate(row, block);
      expectRowAccurate(row, 0);
    }
  });

  test('a NaN hides in a block far below the others', () => {
    for (const low of [-3e6, -1e30, -Infinity, -100])
      for (const place of [0, 5000, 12287]) {
        const row = new Float32Array(12289).fill(1);
        const begin = place - (place % block);
        row.fill(low, begin, begin + block)[place] = NaN;
        expectNan(softmax(row), 12289, `${low} [${place}]`);
        expectNan(logSoftmax(row), 12289, `${low} [${place}]`);
        expectNan(logSumExp(row), 1, `${low} [${place}]`);
        expectNan(crossEntropy(row, classes(12288), { reduction: 'none' }).loss, 1, `${low} [${place}]`);
      }
  });
});
