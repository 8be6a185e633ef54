// softmaxBackward against its formula in float64: every element within 1e-6 of itself.

import { softmax } from 'softmax-native';
import { test } from 'vitest';
import { aMillionth, callsOf, expectAccurate } from '../helpers/accuracy.js';
import { multiplierOf, scalings, shortAndLong } from '../helpers/gradients.js';
import { rowsOf } from '../helpers/random.js';
import { referenceSoftmaxBackward } from '../helpers/reference.js';

test.each(scalings)('softmaxBackward, %o', (options) => {
  expectAccurate('softmaxBackward', {
    calls: callsOf(rowsOf(53, shortAndLong, [0.1, 1, 10]), ({ row, random, label }) => {
      const gradOutput = random.normals(row.length, random.uniform(0.01, 100));
      return { inputs: [gradOutput, softmax(row, options)], options, label };
    }),
    reference: ([g = [], p = []]) => referenceSoftmaxBackward(g, p, multiplierOf(options)),
    tolerance: aMillionth(0),
  });
});
