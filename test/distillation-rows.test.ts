// The rows that distillationLoss is of: without those that are ignored, or that a mask empties. Their loss is 0, their
// gradient is 0, and the mean is over the others alone.

import { distillationLoss, distillationLossAsync, type Reduction } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { arrayOf, dtypes } from './helpers/grid.js';
import { Random } from './helpers/random.js';

const rows = 7;
const length = 5;
const kept = [1, 2, 4, 6];
const leftOut = [0, 3, 5];
const reductions: readonly Reduction[] = ['mean', 'sum', 'none'];

interface Drawn {
  readonly student: number[];
  readonly teacher: number[];
  readonly q: number[];
  readonly target: Int32Array;
  readonly weight: number[];
  readonly temperature: number[];
}

/** What is left out is NaN: nothing may come of it. */
function draw(seed: number): Drawn {
  const random = new Random(seed);
  const logits = () => [...random.normals(rows * length, 2)];
  const [student, teacher] = [logits(), logits()];
  for (const row of leftOut) student.fill(NaN, row * length, (row + 1) * length);
  teacher.fill(Infinity, 0, length);
  return {
    student,
    teacher,
    q: [...random.uniforms(rows * length, 0, 1)],
    target: random.classes(rows, length),
    weight: [...random.uniforms(length, 0.5, 2)],
    temperature: [...random.uniforms(rows, 0.5, 3)],
  };
}

const some = (values: ArrayLike<number>, size: number) =>
  kept.flatMap((row) => Array.from({ length: size }, (_, k) => values[row * size + k] as number));
const ignored = (target: Int32Array, ignoreIndex: number) =>
  target.map((value, row) => (leftOut.includes(row) ? ignoreIndex : value));
const maskOfRows = {
  data: Uint8Array.from({ length: rows }, (_, row) => (kept.includes(row) ? 1 : 0)),
  dims: [rows, 1],
};

/** KL(softmax(t / τ) ‖ softmax(s / τ)) and cross-entropy of one row, by their definitions. */
function referenceOf({ student, teacher, target, weight, temperature }: Drawn, row: number) {
  const at = (values: readonly number[], tau: number) => {
    const z = values.slice(row * length, (row + 1) * length).map((value) => value / tau);
    const sum = Math.log(z.reduce((total, value) => total + Math.exp(value), 0));
    return z.map((value) => value - sum);
  };
  const tau = temperature[row] as number;
  const [s, t] = [at(student, tau), at(teacher, tau)];
  const divergence = t.reduce((sum, log, c) => sum + Math.exp(log) * (log - (s[c] as number)), 0);
  const label = target[row] as number;
  const classWeight = weight[label] as number;
  return {
    divergence: tau * tau * divergence,
    entropy: -(at(student, 1)[label] as number) * classWeight,
    classWeight,
  };
}

describe.each(dtypes)('%s: the result on the kept rows alone', (dtype) => {
  const drawn = draw(7);
  const array = (values: readonly number[]) => arrayOf(values, dtype);
  const numbers = (values: readonly number[]) => Float64Array.from(values);
  const { student, teacher, q, target, weight, temperature } = drawn;
  const probabilities = { target: array(q) };
  const labels = { target: ignored(target, -100), weight };
  const ways: readonly (readonly [what: string, given: object, alone: object])[] = [
    ['ignored rows', labels, { target: Int32Array.from(some(target, 1)), weight }],
    ['another ignoreIndex', { target: ignored(target, 255), ignoreIndex: 255 }, { target: some(target, 1) }],
    ['rows that a mask empties', { mask: maskOfRows }, {}],
    ['a mask and class indices', { mask: maskOfRows, target, weight }, { target: some(target, 1), weight }],
    ['a mask and probabilities', { mask: maskOfRows, ...probabilities }, { target: array(some(q, length)) }],
    [
      'some ignored, some without anything that a mask keeps',
      {
        target: target.map((value, row) => (row === 3 ? -100 : value)),
        mask: Uint8Array.from({ length: rows * length }, (_, i) =>
          i < length || (i >= 25 && i < 30) ? 0 : 1,
        ),
      },
      { target: some(target, 1) },
    ],
  ];
  for (const alpha of [0.3, 1, 0])
    for (const reduction of reductions)
      test.each(ways)(`alpha ${alpha}, ${reduction}: %s`, async (_, given, alone) => {
        const hasTarget = 'target' in given;
        if (!hasTarget && alpha < 1) return;
        const share = hasTarget ? { alpha } : {};
        const common = {
          reduction,
          grad: true,
          ...share,
          ...(dtype.endsWith('16') ? { dtype } : {}),
        } as const;
        const options = any({
          ...common,
          shape: [rows, length],
          temperature: numbers(temperature),
          ...given,
        });
        const inputs = [any(array(student)), any(array(teacher))] as const;
        const all = distillationLoss(...inputs, options);
        const wanted = distillationLoss(
          any(array(some(student, length))),
          any(array(some(teacher, length))),
          any({
            ...common,
            shape: [kept.length, length],
            temperature: numbers(some(temperature, 1)),
            ...alone,
          }),
        );
        expect(all.count).toBe(kept.length);
        expect(wanted.count).toBe(kept.length);
        const of = (values: unknown, size: number) => some(values as ArrayLike<number>, size);
        expect(of(all.grad, length)).toEqual([...(any(wanted.grad) as number[])]);
        const isZero = (values: unknown, row: number, size: number) =>
          [...(any(values) as number[])]
            .slice(row * size, (row + 1) * size)
            .every((value) => Object.is(value, 0));
        for (const row of leftOut) expect(isZero(all.grad, row, length)).toBe(true);
        if (reduction === 'none') {
          expect(of(all.loss, 1)).toEqual([...(any(wanted.loss) as number[])]);
          for (const row of leftOut) expect(isZero(all.loss, row, 1)).toBe(true);
        } else {
          expect(all.loss).toBe(wanted.loss);
        }
        expect(await distillationLossAsync(...inputs, options)).toEqual(all);
      });
});

test.each([0.3, 1, 0])('the formula in float64, alpha %d', (alpha) => {
  const drawn = draw(8);
  const { student, teacher, target, weight, temperature } = drawn;
  const options = {
    ...{ shape: [rows, length], alpha, weight, temperature: Float64Array.from(temperature) },
    target: ignored(target, -100),
  };
  const reference = kept.map((row) => referenceOf(drawn, row));
  const sum = (field: keyof (typeof reference)[number]) =>
    reference.reduce((total, row) => total + row[field], 0);
  // `count` divides the teacher's part, the weights of the kept rows' classes the target's.
  const mean =
    (alpha * sum('divergence')) / kept.length + ((1 - alpha) * sum('entropy')) / sum('classWeight');
  const { loss, count } = distillationLoss(Float64Array.from(student), Float64Array.from(teacher), options);
  expect(count).toBe(kept.length);
  expect(Math.abs(loss - mean)).toBeLessThan(1e-12);
});

describe('no row is left', () => {
  const x = Float32Array.of(1, 2, 3, 4);
  test.each([
    ['ignored', { target: Int32Array.of(-100, -100) }],
    ['ignored, alpha 1', { target: Int32Array.of(-100, -100), alpha: 1 }],
    ['emptied by a mask', { mask: { data: Uint8Array.of(0, 0), dims: [2, 1] } }],
  ])('%s', (_, given) => {
    const options = { shape: [2, 2], grad: true, ...given } as const;
    expect(distillationLoss(x, x, options)).toEqual({ loss: NaN, count: 0, grad: new Float32Array(4) });
    expect(distillationLoss(x, x, { ...options, emptyMean: 'zero' }).loss).toBe(0);
    expect(distillationLoss(x, x, { ...options, reduction: 'sum' }).loss).toBe(0);
  });
});

describe("emptyRow: 'zero' leaves out a row that is empty in the student or the teacher", () => {
  const lost = [-Infinity, -Infinity];
  const grad = Float32Array.of(0, 0, 0, 0);
  test.each([
    ['student', [...lost, 1, 2], [1, 2, 1, 2]],
    ['teacher', [3, 4, 1, 2], [...lost, 1, 2]],
    ['both', [...lost, 1, 2], [...lost, 1, 2]],
  ] as const)('%s', (_, s, t) => {
    const [student, teacher] = [Float32Array.from(s), Float32Array.from(t)];
    const options = { shape: [2, 2], grad: true, emptyRow: 'zero' } as const;
    expect(distillationLoss(student, teacher, options)).toEqual({ loss: 0, count: 1, grad });
    const plain = distillationLoss(student, teacher, { shape: [2, 2] });
    expect(plain).toEqual({ loss: NaN, count: 2 });
    // Nothing of the target's part either, whatever the target is.
    const last = [1, 2];
    for (const target of [Int32Array.of(1, 1), Float32Array.of(0.5, 0.5, 0, 1)]) {
      const of = distillationLoss(student, teacher, { ...options, target });
      const ofLast = distillationLoss(Float32Array.from(last), Float32Array.from(last), {
        target: Int32Array.of(1),
        grad: true,
      });
      expect(of.loss).toBeCloseTo(ofLast.loss, 6);
      expect(of.count).toBe(1);
      expect([...of.grad.subarray(0, 2)].every((value) => Object.is(value, 0))).toBe(true);
      expect([...of.grad.subarray(2)]).toEqual([
        expect.closeTo(ofLast.grad[0] as number, 6),
        expect.closeTo(ofLast.grad[1] as number, 6),
      ]);
    }
  });
  test('the teacher does not matter where it has no share', () => {
    const options = { target: Int32Array.of(0), alpha: 0, emptyRow: 'zero' } as const;
    const { loss, count } = distillationLoss(
      Float64Array.of(0, 0),
      Float64Array.of(-Infinity, -Infinity),
      options,
    );
    expect([loss, count]).toEqual([Math.log(2), 1]);
  });
});
