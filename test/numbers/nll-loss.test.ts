// nllLoss against its formula in float64: the weighted log-probability of the target, and its derivative.

import { logSoftmax } from 'softmax-native';
import { test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { shortAndLong } from '../helpers/gradients.js';
import { rowsOf } from '../helpers/random.js';
import { ulpOf } from '../helpers/reference.js';

test('nllLoss', () => {
  expectAccurate('nllLoss', {
    calls: [...Array(40).keys()].flatMap((seed) => [
      ...callsOf(rowsOf(60 + seed, shortAndLong, [0.1, 1, 10]), ({ row, random, label }) => ({
        inputs: [logSoftmax(row)],
        target: random.integer(row.length),
        options: { weight: random.uniforms(row.length, 0.1, 2), gradOutput: [random.uniform(-2, 2)] },
        label,
      })),
    ]),
    reference: ([logP = []], { target = 0, options }) => {
      const { weight, gradOutput } = options as { weight: Float32Array; gradOutput: [number] };
      const own = weight[target] as number;
      const grad = logP.map((_, i) => (i === target ? -own * gradOutput[0] : 0));
      return { loss: [-own * (logP[target] as number)], grad };
    },
    tolerance: ulpOf,
  });
});
