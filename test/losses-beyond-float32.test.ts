// Losses of float32 logits that float32 does not hold: a mean and a sum are JavaScript numbers.

import { crossEntropy, crossEntropyAsync, distillationLoss, nllLoss } from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { Random } from './helpers/random.js';
import { at } from './helpers/rows.js';

const { fround } = Math;
const large = fround(3.4e38);
const row = new Float32Array([large, -large]);
const infinite = new Float32Array([Number.POSITIVE_INFINITY]);

describe('losses beyond float32', () => {
  it('crossEntropy of classes', async () => {
    for (const reduction of ['mean', 'sum'] as const) {
      expect(crossEntropy(row, [1], { reduction }).loss).toBe(2 * large);
      expect((await crossEntropyAsync(row, [1], { reduction })).loss).toBe(2 * large);
      expect(crossEntropy(row, [1], { reduction, grad: true }).loss).toBe(2 * large);
      // A plain call.
      const plain = crossEntropy(row, new Int32Array([1]), { reduction, grad: new Float32Array(2) });
      expect(plain.loss).toBe(2 * large);
      expect(plain.grad).toEqual(new Float32Array([1, -1]));
      const over = row.slice();
      expect(crossEntropy(over, new Int32Array([1]), { reduction, grad: over }).loss).toBe(2 * large);
    }
    const rows = new Float32Array([large, -large, 0, 0, -large, large]);
    const shape = [3, 2];
    const three = crossEntropy(rows, [1, 0, 0], { shape, reduction: 'sum' });
    expect(three.loss).toBe(4 * large);
    expect(crossEntropy(rows, [1, 0, -100], { shape }).loss).toBe(large);
    const columns = new Float32Array([large, 0, -large, -large, 0, large]);
    expect(crossEntropy(columns, [1, 0, 0], { shape: [2, 3], axis: 0, reduction: 'sum' }).loss).toBe(
      4 * large,
    );
    // More rows than a small batch has.
    const many = new Float32Array(400).map((_, i) => (i % 2 === 0 ? large : -large));
    expect(crossEntropy(many, new Int32Array(200).fill(1), { shape: [200, 2] }).loss).toBe(2 * large);
  });

  it('with weights, smoothed labels, probabilities, scale, temperature', () => {
    expect(crossEntropy(row, [1], { weight: [1, 1e10], reduction: 'sum' }).loss).toBe(2 * large * 1e10);
    expect(crossEntropy(new Float32Array([large, 0]), [1], { weight: [1, 4], reduction: 'sum' }).loss).toBe(
      4 * large,
    );
    expect(crossEntropy(row, [1], { labelSmoothing: 0.5 }).loss).toBe(1.5 * large);
    expect(crossEntropy(row, new Float32Array([0.25, 0.75])).loss).toBe(1.5 * large);
    expect(crossEntropy(row, new Float32Array([0, 3])).loss).toBe(6 * large);
    expect(crossEntropy(row, [1], { scale: 4 }).loss).toBe(8 * large);
    expect(crossEntropy(row, [1], { temperature: 0.125 }).loss).toBe(16 * large);
    expect(crossEntropy(row, [1], { mask: new Uint8Array([1, 1]), scale: 4 }).loss).toBe(8 * large);
  });

  it('of 16 bits', () => {
    // 2^127 and −2^127 in bfloat16.
    const halves = new Uint16Array([0x7f00, 0xff00]);
    const { loss } = crossEntropy({ data: halves, dims: [1, 2], type: 'bfloat16' }, new Int32Array([1]));
    expect(loss).toBe(2 ** 128);
  });

  it('nllLoss and distillationLoss', () => {
    const logProbs = new Float32Array([-1, -large]);
    expect(nllLoss(logProbs, [1], { weight: [1, 1e10], reduction: 'sum' }).loss).toBe(large * 1e10);
    expect(nllLoss(logProbs, [1], { weight: [1, 1e10], reduction: 'none' }).loss).toEqual(infinite);
    const teacher = new Float32Array([0, 0]);
    const options = { temperature: 1, target: [1], alpha: 0, reduction: 'sum' } as const;
    expect(distillationLoss(row, teacher, options).loss).toBe(2 * large);
    expect(distillationLoss(row, teacher, { ...options, alpha: 0.5 }).loss).toBe(1.5 * large);
  });

  it("is Infinity in the float32 array of reduction 'none', and where it is infinite", () => {
    expect(crossEntropy(row, [1], { reduction: 'none' }).loss).toEqual(infinite);
    expect(crossEntropy(new Float32Array([0, Number.NEGATIVE_INFINITY]), [1]).loss).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(crossEntropy(new Float32Array([0, Number.NaN]), [1]).loss).toBeNaN();
    expect(crossEntropy(new Float64Array([1e308, -1e308]), [1]).loss).toBe(Number.POSITIVE_INFINITY);
  });

  it('finite ones are the sum of float32 losses, as before', () => {
    const random = new Random(38);
    for (const length of [2, 10, 1000]) {
      const logits = Float32Array.from({ length: 30 * length }, () => random.normal(9));
      const target = Int32Array.from({ length: 30 }, () => random.integer(length));
      const shape = [30, length];
      for (const labelSmoothing of [0, 0.1]) {
        const { loss: each } = crossEntropy(logits, target, { shape, labelSmoothing, reduction: 'none' });
        let sum = 0;
        for (let i = 0; i < 30; i++) sum += at(each, i);
        const options = { shape, labelSmoothing, reduction: 'sum', grad: new Float32Array(logits) } as const;
        expect(crossEntropy(logits, target, options).loss).toBe(sum);
        expect(crossEntropy(logits, [...target], { shape, labelSmoothing }).loss).toBe(sum / 30);
      }
    }
  });
});
