// Rows of several blocks, which are summed each in a measure of its own: one block unlike all others.

import * as api from 'softmax-native';
import * as js from 'softmax-native/js';
import { describe, expect, test } from 'vitest';
import { Random } from './helpers/random.js';

const { crossEntropy, getThreads, logSoftmax, logSumExp, setThreads, softmax, softmaxBackward } = api;

const block = 4096;
const kinds = [
  [Float32Array, -1000],
  [Float64Array, -3000],
] as const;

describe.each(kinds.map(([kind, low]) => [kind.name, kind, low] as const))('%s', (_name, Kind, low) => {
  /** Three blocks and a half of a number, one of which is of another. */
  const rowOf = (which: number, other: number, value: number) => {
    const row = new Kind(3.5 * block).fill(value);
    return row.fill(other, which * block, Math.min(row.length, (which + 1) * block));
  };
  const whole = (row: Float32Array | Float64Array) => ({
    p: softmax(row),
    y: logSoftmax(row),
    sum: logSumExp(row)[0],
  });

  test('a block of −Infinity beside small numbers: as if it were not there', () => {
    for (const which of [0, 1, 2, 3])
      for (const value of [low, low / 1.25, low / 2, 0, -low]) {
        const row = rowOf(which, Number.NEGATIVE_INFINITY, value);
        const count = row.filter((x) => x === value).length;
        const rest = new Kind(count).fill(value);
        const label = `block ${which}, ${value}`;
        const { p, y, sum } = whole(row);
        const logSum = value + Math.log(count);
        expect(Math.abs((sum as number) - logSum), label).toBeLessThan(1e-3);
        expect(logSumExp(rest)[0], label).toBe(sum);
        const at = row.indexOf(value);
        expect(p[at], label).toBe(softmax(rest)[0]);
        expect(y[at], label).toBe(logSoftmax(rest)[0]);
        expect(p[which * block], label).toBe(0);
        expect(y[which * block], label).toBe(Number.NEGATIVE_INFINITY);
        const { loss } = crossEntropy(row, Int32Array.of(at));
        expect(Math.abs(loss - Math.log(count)), label).toBeLessThan(1e-3);
      }
  });

  test('a NaN in a block far below all others spoils the row', () => {
    for (const which of [0, 1, 2, 3])
      for (const far of [-5000, -20_000, -1e30]) {
        const row = rowOf(which, far, 1);
        row[which * block + 7] = Number.NaN;
        const { p, y, sum } = whole(row);
        const label = `block ${which}, ${far}`;
        expect(
          [p, y].every((values) => values.every(Number.isNaN)),
          label,
        ).toBe(true);
        expect(sum, label).toBeNaN();
        const { loss, logSumExp: ofLoss, grad } = crossEntropy(row, Int32Array.of(0), { grad: true });
        expect([loss, ofLoss[0]], label).toEqual([Number.NaN, Number.NaN]);
        expect(grad.every(Number.isNaN), label).toBe(true);
      }
  });

  test('Infinity in one block, NaN in another: NaN; alone: Infinity', () => {
    for (const [first, second] of [
      [0, 3],
      [3, 0],
      [1, 1],
    ] as const) {
      const row = rowOf(0, 2, 1);
      row[first * block + 5] = Number.POSITIVE_INFINITY;
      expect(logSumExp(row)[0]).toBe(Number.POSITIVE_INFINITY);
      expect(crossEntropy(row, Int32Array.of(0)).logSumExp[0]).toBe(Number.POSITIVE_INFINITY);
      row[second * block + 6] = Number.NaN;
      expect(logSumExp(row)[0]).toBeNaN();
      expect(crossEntropy(row, Int32Array.of(0)).logSumExp[0]).toBeNaN();
      expect(softmax(row).every(Number.isNaN)).toBe(true);
    }
  });

  // Beyond some size a maximum is subtracted: that of a block may be, and the row's not.
  test.each([1, 0.5, -1.3])('some maxima small enough to be measured against 0, scale %s', (scale) => {
    const random = new Random(46);
    const threads = getThreads();
    setThreads(2);
    for (const length of [5488, 5 * block, 400_001])
      for (const sign of [-1, 1]) {
        const bound = sign * (Kind === Float32Array ? 1024 : 4096);
        const row = new Kind(length);
        for (let begin = 0; begin < length; begin += block) {
          const top = bound + random.uniform(-0.4, 0.4);
          for (let i = begin; i < Math.min(length, begin + block); i++)
            row[i] = (top - random.uniform(0, 4)) / scale;
        }
        const target = Int32Array.of(length - 1);
        const results = ({ softmax, logSoftmax, logSumExp, crossEntropy }: typeof js) => [
          softmax(row, { scale }),
          logSoftmax(row, { scale }),
          logSumExp(row, { scale }),
          crossEntropy(row, target, { scale, grad: true }).grad,
        ];
        const ofJs = results(js);
        results(api as typeof js).forEach((values, i) => {
          const isSame =
            Buffer.compare(Buffer.from(values.buffer), Buffer.from(ofJs[i]?.buffer as ArrayBuffer)) === 0;
          expect(isSame, `function ${i}, ${length} logits around ${bound}`).toBe(true);
        });
      }
    setThreads(threads);
  });
});

// Beside a sum, two terms of 0.6 of its last bit each: one after the other they round to two such bits, together to one.
describe('four blocks are added as a binary tree, the last two to each other first', () => {
  test('probabilities', () => {
    const row = new Float64Array(4 * block).fill(Number.NEGATIVE_INFINITY);
    row.set([0, 0]);
    row[2 * block] = row[3 * block] = Math.log(0.6 * 2 ** -51);
    expect(softmax(row)[0]).toBe(1 / (2 + 2 ** -51));
  });

  test('gradients', () => {
    const row = new Float64Array(4 * block);
    const output = row.slice();
    output[0] = output[1] = output[2 * block] = output[3 * block] = 1;
    row[0] = 1;
    row[2 * block] = row[3 * block] = 0.6 * 2 ** -52;
    expect(softmaxBackward(row, output)[1]).toBe(-(1 + 2 ** -52));
  });
});
