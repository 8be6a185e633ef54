// softmax against its formula in float64: every probability within 4 ULP. test/accuracy.test.ts has longer rows.

import { test } from 'vitest';
import { callsOf, expectAccurate, ofProbabilities } from '../helpers/accuracy.js';
import { rowsOf } from '../helpers/random.js';
import { referenceSoftmax } from '../helpers/reference.js';

test('softmax', () => {
  expectAccurate('softmax', {
    calls: callsOf(rowsOf(1), ({ row, label }) => ({ inputs: [row], label })),
    reference: ([x = []]) => referenceSoftmax(x),
    tolerance: ofProbabilities,
  });
});
