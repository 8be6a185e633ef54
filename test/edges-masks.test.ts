// Rows that a mask empties, in every loss, whatever is in them.
import { crossEntropy, distillationLoss, logSoftmaxBackward, softmaxBackward } from 'softmax-native';
import { describe, expect, it } from 'vitest';

const rows: readonly [name: string, values: readonly number[]][] = [
  ['numbers', [1, 2, 3]],
  ['−Infinity', [-Infinity, -Infinity, -Infinity]],
  ['+Infinity', [1, Infinity, 2]],
  ['NaN', [Number.NaN, 1, 2]],
];
const shape = [2, 3];
const mask = Uint8Array.of(0, 0, 0, 1, 1, 1);
const options = { shape, mask, reduction: 'none', grad: true } as const;

describe('a row that the mask empties', () => {
  for (const [name, values] of rows)
    for (const axis of [1, 0]) {
      // The second row, or column, is an ordinary one.
      const arrange = (first: readonly number[], second: readonly number[]): number[] =>
        axis === 1 ? [...first, ...second] : first.flatMap((value, i) => [value, second[i] as number]);
      const placed = {
        ...options,
        axis,
        shape: axis === 1 ? shape : [3, 2],
        mask: Uint8Array.from(arrange([0, 0, 0], [1, 1, 1])),
      };
      const logits = Float32Array.from(arrange(values, [0, 0, 0]));
      const firstOf = (grad: ArrayLike<number>) => [0, 1, 2].map((i) => grad[axis === 1 ? i : 2 * i]);
      const log3 = Math.fround(Math.log(3));

      it.each([
        ['class indices', Int32Array.of(1, 1), {}],
        ['class indices and label smoothing', Int32Array.of(1, 1), { labelSmoothing: 0.25 }],
        ['probabilities', Float32Array.from(arrange([0.5, 0.5, 0], [0, 1, 0])), {}],
      ])(`of ${name}, axis ${axis}: no loss, no gradient with %s`, (_, target, more) => {
        const { loss, grad, logSumExp, count } = crossEntropy(logits, target, { ...placed, ...more });
        expect([...loss]).toEqual([0, log3]);
        expect([...logSumExp]).toEqual([-Infinity, log3]);
        expect(firstOf(grad)).toEqual([0, 0, 0]);
        expect(count).toBe(2);
      });

      it(`of ${name}, axis ${axis}: nothing to distil, no gradient`, () => {
        const teacher = Float32Array.from(arrange(values, [1, 0, 0]));
        const { loss, grad } = distillationLoss(logits, teacher, placed);
        expect(loss[0]).toBe(0);
        expect(loss[1]).toBeGreaterThan(0);
        expect(firstOf(grad)).toEqual([0, 0, 0]);
        const { shape: ofRows, axis: along, mask: kept } = placed;
        for (const backward of [softmaxBackward, logSoftmaxBackward])
          expect(firstOf(backward(logits, logits, { shape: ofRows, axis: along, mask: kept }))).toEqual([
            0, 0, 0,
          ]);
      });
    }

  it('is unlike a row of −Infinity that is kept: NaN', () => {
    const row = Float32Array.of(-Infinity, -Infinity);
    const { loss, logSumExp } = crossEntropy(row, Int32Array.of(0), { mask: Uint8Array.of(1, 0) });
    expect(loss).toBeNaN();
    expect([...logSumExp]).toEqual([-Infinity]);
  });
});
