// crossEntropy against its formulas in float64: losses as logarithms, every element of the gradient within 1e-6 of itself.

import { test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { multiplierOf, scalings, shortAndLong } from '../helpers/gradients.js';
import { rowsOf } from '../helpers/random.js';
import {
  largestMagnitude,
  logTolerance,
  referenceLogSumExp,
  referenceLoss,
  referenceLossGradient,
} from '../helpers/reference.js';

test.each(scalings)('crossEntropy, %o', (options) => {
  const multiplier = multiplierOf(options);
  expectAccurate('crossEntropy', {
    calls: callsOf(rowsOf(56, shortAndLong, [0.1, 1, 10, 30]), ({ row, random, label }) => {
      const target = random.integer(row.length);
      return { inputs: [row], target, options, label: `${label}, target ${target}` };
    }),
    reference: ([x = []], { target = 0 }) => ({
      loss: [referenceLoss(x, target, multiplier)],
      grad: referenceLossGradient(x, target, multiplier),
      logSumExp: [referenceLogSumExp(x, multiplier)],
    }),
    tolerance(exact, { inputs: [x = []], target }, i, part) {
      if (part !== 'grad') return logTolerance(exact, largestMagnitude(x, multiplier));
      // An element below 2^-126 of the largest is flushed to 0: in its own gradient, and in the target's sum.
      const floor = 2 ** -126 * Math.abs(multiplier);
      return 1e-6 * Math.abs(exact) + floor * (i === target ? x.length : 1);
    },
  });
});
