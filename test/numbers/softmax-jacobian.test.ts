// softmaxJacobian against its formula in float64, diag(p) − p pᵀ, and against what it is the derivative of.

import { softmax, softmaxBackward, softmaxJacobian } from 'softmax-native';
import { expect, test } from 'vitest';
import { callsOf, expectAccurate } from '../helpers/accuracy.js';
import { any } from '../helpers/calls.js';
import { doubles, expectGradient } from '../helpers/differences.js';
import { Random, rowsOf } from '../helpers/random.js';
import { bitsOf, referenceJacobian, Worst } from '../helpers/reference.js';
import { at, canonicalNan, expectNan, floats, fromBits } from '../helpers/rows.js';

/** The relative error of a normal float32 number that is 1 ULP off, at most. */
const relativeUlp = 2 ** -23;

test('softmaxJacobian', () => {
  expectAccurate('softmaxJacobian', {
    calls: callsOf(rowsOf(7, [1, 2, 3, 5, 16, 17, 33, 100], [1, 10, 60]), ({ row, label }) => ({
      inputs: [softmax(row)],
      label,
    })),
    reference: ([p = []]) => referenceJacobian(p),
    // Two roundings on the diagonal, one beside it; below 2^-126 an absolute one of 2^-150.
    tolerance: (exact) => relativeUlp * Math.abs(exact) + 2 ** -149,
  });
});

test('the Jacobian is +0 wherever a probability is 0', () => {
  const p = softmax(new Float32Array([0, -1000, 1, -2000]));
  const jacobian = softmaxJacobian(p);
  expect([p[1], p[3]]).toEqual([0, 0]);
  for (const i of [0, 1, 2, 3])
    for (const j of [0, 1, 2, 3])
      if (p[i] === 0 || p[j] === 0) expect(jacobian[4 * i + j], `[${i}, ${j}]`).toBe(0);
      else expect(Math.sign(at(jacobian, 4 * i + j)), `[${i}, ${j}]`).toBe(i === j ? 1 : -1);
});

test('softmaxBackward is the Jacobian times the incoming gradient', () => {
  const worst = new Worst();
  for (const { row, random, label } of rowsOf(8, [1, 2, 3, 10, 33, 100], [1, 10])) {
    const p = softmax(row);
    const gradOutput = random.normals(row.length);
    const jacobian = softmaxJacobian(p);
    // The Jacobian's entries are off by 2^-23 of themselves, and the diagonal is not 1 − Σ p of them exactly,
    // as the rounded p do not sum to 1: by at most 4 · 2^-23.
    softmaxBackward(gradOutput, p).forEach((value, i) => {
      let product = 0;
      let magnitude = 2 ** -126;
      for (let j = 0; j < row.length; j++) {
        const term = at(jacobian, i * row.length + j) * at(gradOutput, j);
        product += term;
        magnitude += Math.abs(term);
      }
      worst.note(Math.abs(value - product) / (8 * relativeUlp * magnitude), `${label} [${i}]`);
    });
  }
  expect(worst.error, worst.label).toBeLessThanOrEqual(1);
});

test('against central differences of softmax in float64', () => {
  const random = new Random(81);
  for (const [rows, length] of [
    [1, 1],
    [1, 6],
    [3, 4],
  ] as const) {
    const shape = [rows, length];
    const x = doubles(random, rows * length, 2);
    const jacobian = softmaxJacobian(any(softmax(any(x), { shape })), { shape }) as unknown as Float64Array;
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < length; i++) {
        const place = row * length + i;
        const f = (values: Float64Array) => at(softmax(any(values), { shape }), place);
        const line = new Float64Array(rows * length);
        line.set(jacobian.subarray(place * length, (place + 1) * length), row * length);
        expectGradient(line, f, x, `${rows} × ${length}: ∂p[${row}, ${i}]`);
      }
  }
});

test('one class, and NaN', () => {
  expect(softmaxJacobian(floats(1))).toEqual(floats(0));
  for (const nan of [0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff]) {
    expectNan(softmaxJacobian(fromBits(nan)), 1);
    expect([...bitsOf(softmaxJacobian(fromBits(nan, 0x3f000000)))]).toEqual([
      canonicalNan,
      canonicalNan,
      canonicalNan,
      0x3e800000,
    ]);
  }
});
