// logSumExp against its formula in float64: 4 ULP, or 1 ULP of the largest |logit|.

import { test } from 'vitest';
import { callsOf, expectAccurate, ofLogarithms } from '../helpers/accuracy.js';
import { rowsOf } from '../helpers/random.js';
import { referenceLogSumExp } from '../helpers/reference.js';

test('logSumExp', () => {
  expectAccurate('logSumExp', {
    calls: callsOf(rowsOf(5), ({ row, label }) => ({ inputs: [row], label })),
    reference: ([x = []]) => [referenceLogSumExp(x)],
    tolerance: ofLogarithms,
  });
});
