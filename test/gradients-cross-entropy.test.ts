// The gradients of crossEntropy and nllLoss against central differences of the losses in float64, under all
// combinations of the options.

import { crossEntropy, nllLoss } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import {
  combinations,
  doubles,
  elementMask,
  expectGradient,
  given,
  type Layout,
  layoutOf,
  weighted,
} from './helpers/differences.js';
import { Random } from './helpers/random.js';

const layouts = [layoutOf([3, 4], -1), layoutOf([4, 3], 0), layoutOf([2, 3, 2], 1)];
const reductions = ['mean', 'sum', 'none'] as const;
const targets = ['indices', 'probabilities'] as const;

const grid = combinations({
  weight: [false, true],
  labelSmoothing: [undefined, 0.1, 1],
  temperature: [undefined, 0.7, 'rows'],
  scale: [undefined, -0.5, 2],
  mask: [false, true],
  gradOutput: [false, true],
} as const);

const ignored = -100;

/** Class indices, row 0 ignored. */
function indicesOf(random: Random, { rows, length }: Layout): Int32Array {
  const indices = random.classes(rows, length);
  indices[0] = ignored;
  return indices;
}

const gradOutputOf = (random: Random, reduction: string, rows: number) =>
  reduction === 'none' ? doubles(random, rows) : random.uniform(-2, 2);

const positive = (random: Random, length: number) =>
  Float64Array.from({ length }, () => random.uniform(0.2, 2));

describe.each(layouts)('crossEntropy, shape $shape, axis $axis', (layout) => {
  const { shape, axis, rows, length } = layout;

  test.each(combinations({ target: targets, reduction: reductions }))('$target, $reduction', (kind) => {
    const random = new Random(82);
    for (const combination of grid) {
      const { labelSmoothing, scale } = combination;
      const x = doubles(random, rows * length, 1.5);
      const indices = indicesOf(random, layout);
      // They need not sum to 1.
      const target = kind.target === 'indices' ? indices : positive(random, rows * length);
      const gradOutput = combination.gradOutput ? gradOutputOf(random, kind.reduction, rows) : undefined;
      const temperature =
        combination.temperature === 'rows'
          ? positive(random, rows).map((t) => t + 0.5)
          : combination.temperature;
      // Row 0, ignored with indices, has nothing left; a target that the mask drops would make the loss infinite.
      const mask = combination.mask ? elementMask(random, layout, [...indices], 0) : undefined;
      const weight = combination.weight ? positive(random, length) : undefined;
      const { reduction } = kind;
      const options = given({
        shape,
        axis,
        reduction,
        labelSmoothing,
        scale,
        temperature,
        weight,
        mask,
        gradOutput,
      });

      const f = (values: Float64Array) =>
        weighted(crossEntropy(any(values), any(target), any(options)).loss, gradOutput);
      const { grad } = crossEntropy(any(x), any(target), any({ ...options, grad: true }));
      expectGradient(grad, f, x, JSON.stringify(combination));
    }
  });

  test('the gradient written over the logits, and into a given array, is the same', () => {
    const random = new Random(83);
    const x = doubles(random, rows * length, 1.5);
    const target = indicesOf(random, layout);
    const options = { shape, axis, labelSmoothing: 0.1 };
    const { grad } = crossEntropy(any(x), any(target), any({ ...options, grad: true }));
    const array = new Float64Array(rows * length);
    const over = x.slice();
    crossEntropy(any(x), any(target), any({ ...options, grad: array }));
    crossEntropy(any(over), any(target), any({ ...options, grad: over }));
    expect(array).toEqual(grad);
    expect(over).toEqual(grad);
  });

  test.each(reductions)('nllLoss, %s', (reduction) => {
    const random = new Random(84);
    for (const combination of combinations({ weight: [false, true], gradOutput: [false, true] } as const)) {
      const x = doubles(random, rows * length, 1.5);
      const target = indicesOf(random, layout);
      const gradOutput = combination.gradOutput ? gradOutputOf(random, reduction, rows) : undefined;
      const weight = combination.weight ? positive(random, length) : undefined;
      const options = given({ shape, axis, reduction, weight, gradOutput });
      const f = (values: Float64Array) =>
        weighted(nllLoss(any(values), any(target), any(options)).loss, gradOutput);
      const { grad } = nllLoss(any(x), any(target), any({ ...options, grad: true }));
      expectGradient(grad, f, x, JSON.stringify(combination));
    }
  });
});
