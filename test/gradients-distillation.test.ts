// The gradient of distillationLoss with respect to the student's logits, against central differences in float64.

import { distillationLoss } from 'softmax-native';
import { describe, test } from 'vitest';
import { any } from './helpers/calls.js';
import {
  combinations,
  doubles,
  elementMask,
  expectGradient,
  given,
  layoutOf,
  weighted,
} from './helpers/differences.js';
import { Random } from './helpers/random.js';

const layouts = [layoutOf([3, 4], -1), layoutOf([4, 3], 0), layoutOf([2, 3, 2], 1)];

const grid = combinations({
  temperature: [undefined, 0.7, 3, 'rows'],
  scale: [undefined, -0.5, 2],
  mask: [false, true],
  gradOutput: [false, true],
  // Of the cross-entropy on the target.
  hard: [
    undefined,
    { target: 'indices' },
    { target: 'indices', alpha: 0.3, weight: true, labelSmoothing: 0.1 },
    { target: 'indices', alpha: 0 },
    { target: 'probabilities', alpha: 0.9, weight: true },
    { target: 'probabilities', alpha: 1 },
  ],
} as const);

describe.each(layouts)('distillationLoss, shape $shape, axis $axis', (layout) => {
  const { shape, axis, rows, length } = layout;
  const size = rows * length;

  test.each(['mean', 'sum', 'none'])('%s', (reduction) => {
    const random = new Random(85);
    const positive = (count: number) => Float64Array.from({ length: count }, () => random.uniform(0.2, 2));
    for (const combination of grid) {
      const { scale, hard } = combination;
      const student = doubles(random, size, 1.5);
      const teacher = doubles(random, size, 1.5);
      const indices = random.classes(rows, length);
      indices[0] = -100;
      const temperature =
        combination.temperature === 'rows' ? positive(rows).map((t) => t + 0.5) : combination.temperature;
      // Row 0, ignored with indices, has nothing left.
      const mask = combination.mask ? elementMask(random, layout, [...indices], 0) : undefined;
      const perRow = reduction === 'none' ? doubles(random, rows) : random.uniform(-2, 2);
      const gradOutput = combination.gradOutput ? perRow : undefined;
      const options = given({
        shape,
        axis,
        reduction,
        temperature,
        scale,
        mask,
        gradOutput,
        ...hard,
        target: hard && (hard.target === 'indices' ? indices : positive(size)),
        weight: hard && 'weight' in hard ? positive(length) : undefined,
      });

      const f = (values: Float64Array) =>
        weighted(distillationLoss(any(values), any(teacher), any(options)).loss, gradOutput);
      const { grad } = distillationLoss(any(student), any(teacher), any({ ...options, grad: true }));
      expectGradient(grad, f, student, JSON.stringify(combination));
    }
  });
});
