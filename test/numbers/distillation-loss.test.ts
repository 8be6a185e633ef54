// distillationLoss against its formula in float64: τ² KL(teacher ‖ student), and its derivative τ (student − teacher).

import { test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { rowsOf } from '../helpers/random.js';
import { referenceLogSoftmax, referenceSoftmax } from '../helpers/reference.js';

const lengths = [1, 2, 3, 7, 10, 33, 100, 300, 1000, 5000];

test.each([1, 0.7, 4])('distillationLoss, temperature %d', (temperature) => {
  expectAccurate('distillationLoss', {
    calls: callsOf(rowsOf(58, lengths, [0.1, 1, 5]), ({ row, random, label }) => ({
      inputs: [row, random.normals(row.length, 3)],
      options: { temperature },
      label,
    })),
    reference([student = [], teacher = []]) {
      const p = referenceSoftmax(teacher, 1 / temperature);
      const q = referenceSoftmax(student, 1 / temperature);
      const logP = referenceLogSoftmax(teacher, 1 / temperature);
      const logQ = referenceLogSoftmax(student, 1 / temperature);
      let divergence = 0;
      p.forEach((probability, i) => {
        divergence += probability * ((logP[i] as number) - (logQ[i] as number));
      });
      const grad = q.map((probability, i) => temperature * (probability - (p[i] as number)));
      return { loss: [temperature ** 2 * divergence], grad };
    },
    // Where the teacher's and the student's nearly cancel, an error of either remains.
    tolerance: (exact) => 1e-6 * Math.abs(exact) + 2 ** -40,
  });
});
