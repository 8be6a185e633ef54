// A row's result depends on the row alone: not on its batch, place in memory or kind of buffer, or on `out`.

import {
  crossEntropy,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { Random, rowsOf } from './helpers/random.js';
import { firstDifference } from './helpers/reference.js';

const fewLengths: readonly number[] = [1, 2, 3, 7, 10, 16, 33, 64, 100, 257, 1000, 5000];

describe('a row has the same bits', () => {
  /** What every function makes of a row and an incoming gradient, one after the other. */
  const all = (row: Float32Array, gradOutput: Float32Array, rows = 1): Float32Array[] => {
    const shape = [rows, row.length / rows];
    const p = softmax(row, { shape });
    const y = logSoftmax(row, { shape, temperature: 0.7 });
    const target = new Int32Array(rows).fill(row.length / rows - 1);
    const loss = crossEntropy(row, target, { shape, grad: true, reduction: 'none' });
    const gradients = [
      softmaxBackward(gradOutput, p, { shape }),
      logSoftmaxBackward(gradOutput, y, { shape, temperature: 0.7 }),
    ];
    return [p, y, logSumExp(row, { shape }), ...gradients, loss.loss, loss.logSumExp, loss.grad ?? p];
  };

  test('alone and in a batch', () => {
    const random = new Random(15);
    for (const length of [1, 2, 3, 10, 16, 33, 257, 5000]) {
      const rows = length > 1000 ? 3 : 37;
      const logits = random.normals(rows * length, 10);
      const gradOutput = random.normals(rows * length);
      const batch = all(logits, gradOutput, rows);
      for (let row = 0; row < rows; row++) {
        const rowOf = (values: Float32Array) => {
          const size = values.length / rows;
          return values.slice(row * size, (row + 1) * size);
        };
        all(rowOf(logits), rowOf(gradOutput)).forEach((expected, i) => {
          const label = `output ${i} of row ${row}, length ${length}`;
          expect(firstDifference(rowOf(batch[i] as Float32Array), expected), label).toBeUndefined();
        });
      }
    }
  });

  test('in place and not', () => {
    for (const { row, random, label } of rowsOf(16, fewLengths)) {
      const gradOutput = random.normals(row.length);
      const [p, y, , dp, dy, , , grad] = all(row, gradOutput) as Float32Array[];
      const same = (
        f: (out: Float32Array) => unknown,
        input: Float32Array,
        expected: Float32Array | undefined,
      ) => {
        const out = input.slice();
        f(out);
        expect(firstDifference(out, expected as Float32Array), label).toBeUndefined();
      };
      same((out) => softmax(out, { out }), row, p);
      same((out) => logSoftmax(out, { out, temperature: 0.7 }), row, y);
      same((out) => softmaxBackward(out, p as Float32Array, { out }), gradOutput, dp);
      same((out) => softmaxBackward(gradOutput, out, { out }), p as Float32Array, dp);
      same((out) => logSoftmaxBackward(gradOutput, out, { out, temperature: 0.7 }), y as Float32Array, dy);
      const target = new Int32Array([row.length - 1]);
      same((out) => crossEntropy(out, target, { grad: out, reduction: 'none' }), row, grad);
    }
  });

  test('whatever the byte offset of its view, in a SharedArrayBuffer too', () => {
    for (const { row, random, label } of rowsOf(17, [1, 7, 33, 100, 257, 5000], [10])) {
      const gradOutput = random.normals(row.length);
      const expected = all(row, gradOutput);
      for (const kind of [ArrayBuffer, SharedArrayBuffer]) {
        const copies = [row, gradOutput].map(() => new Float32Array(new kind(4 * (row.length + 16))));
        for (let offset = 0; offset <= 16; offset++) {
          const views = copies.map((copy) => copy.subarray(offset, offset + row.length));
          views[0]?.set(row);
          views[1]?.set(gradOutput);
          all(views[0] as Float32Array, views[1] as Float32Array).forEach((actual, i) => {
            const place = `output ${i} at offset ${offset} of ${kind.name}, ${label}`;
            expect(firstDifference(actual, expected[i] as Float32Array), place).toBeUndefined();
          });
        }
      }
    }
  });
});
