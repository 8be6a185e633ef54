// softmaxBackward against its formula in float64: every element within 1e-6 of itself.

import { softmax, softmaxBackward } from 'softmax-native';
import { expect, test } from 'vitest';
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

// Results are made in float where the sum allows it: not here, where gradOutput − Σ is beyond float, or Σ below what two
// floats hold.
const extremes = [
  { gradOutput: [3.4e38, -3.4e38, 1], output: [0.875, 0.125, 0] },
  { gradOutput: [2 ** -130, 2 ** -130, 2 ** -130], output: [1024, -1024, 0.9999] },
];

test.each(extremes)('softmaxBackward where Σ has no two floats, %o', ({ gradOutput, output }) => {
  const result = softmaxBackward(Float32Array.from(gradOutput), Float32Array.from(output));
  const p = output.map(Math.fround);
  const sum = gradOutput.reduce((total, g, i) => total + g * (p[i] as number), 0);
  const expected = gradOutput.map((g, i) => (g - sum) * (p[i] as number));
  for (const [i, value] of expected.entries())
    expect(Math.abs((result[i] as number) - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 2 ** -150);
});

test('softmaxBackward of columns, some in float and some not: the bits of each alone', () => {
  const columns = [...extremes, { gradOutput: [0.1, -0.7, 0.3], output: [0.5, 0.3, 0.2] }];
  const shape = [3, columns.length];
  const across = (name: 'gradOutput' | 'output') =>
    Float32Array.from([0, 1, 2].flatMap((i) => columns.map((column) => column[name][i] as number)));
  for (const temperatures of [
    [1, 1, 1],
    [1, 2, 1],
  ]) {
    const options = { shape, axis: 0, temperature: Float64Array.from(temperatures) };
    const result = softmaxBackward(across('gradOutput'), across('output'), options);
    for (const [c, { gradOutput, output }] of columns.entries()) {
      const temperature = temperatures[c] as number;
      const alone = softmaxBackward(Float32Array.from(gradOutput), Float32Array.from(output), {
        temperature,
      });
      expect([0, 1, 2].map((i) => result[i * columns.length + c])).toEqual([...alone]);
    }
  }
});
