// logSoftmaxBackward against its formula in float64: every element within 1e-6 of itself.

import { logSoftmax } from 'softmax-native';
import { test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { multiplierOf, scalings, shortAndLong } from '../helpers/gradients.js';
import { rowsOf } from '../helpers/random.js';
import { referenceLogSoftmaxBackward } from '../helpers/reference.js';

test.each(scalings)('logSoftmaxBackward, %o', (options) => {
  const multiplier = multiplierOf(options);
  expectAccurate('logSoftmaxBackward', {
    calls: callsOf(rowsOf(55, shortAndLong, [0.1, 1, 10]), ({ row, random, label }) => {
      const gradOutput = random.normals(row.length, random.uniform(0.01, 100));
      return { inputs: [gradOutput, logSoftmax(row, options)], options, label };
    }),
    reference: ([g = [], y = []]) => referenceLogSoftmaxBackward(g, y, multiplier),
    tolerance(exact, { inputs: [g = [], y = []] }, i) {
      let sum = 0;
      for (const value of g) sum += value;
      // exp is taken to 2^-36, and that of the product remains where g and p Σ g nearly cancel.
      const floor = 2 ** -36 * Math.abs(Math.exp(y[i] as number) * sum * multiplier);
      return 1e-6 * Math.abs(exact) + floor;
    },
  });
});
