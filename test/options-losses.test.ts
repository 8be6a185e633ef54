// Losses under all options at once, against their definitions in float64; reductions, empty means, shares.

import { crossEntropy, distillationLoss, nllLoss, type Reduction } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { arrayOf, dtypes, exact, expectClose, Grid, numbersOf, type Row, sum } from './helpers/grid.js';
import { Random } from './helpers/random.js';
import { at } from './helpers/rows.js';

const layouts: readonly (readonly [readonly number[], number])[] = [
  [[5], -1],
  [[4, 6], -1],
  [[6, 4], 0],
  [[2, 5, 3], 1],
  [[2, 3, 2, 2], 1],
];

interface Drawn {
  readonly grid: Grid;
  readonly rows: readonly Row[];
  readonly plainRows: readonly Row[];
  readonly x: number[];
  readonly teacher: number[];
  /** A probability for each place. */
  readonly q: number[];
  readonly target: Int32Array;
  readonly weight: number[];
  readonly gradOutput: number[];
  readonly options: { axis: number; scale: number; temperature: number[]; mask: Uint8Array };
}

function draw(random: Random, shape: readonly number[], axis: number, dtype: (typeof dtypes)[number]): Drawn {
  const grid = new Grid(shape, axis);
  const rounded = (values: ArrayLike<number>) => numbersOf(arrayOf(values, dtype), dtype);
  const target = random.classes(grid.rows.length, grid.length);
  // The target itself is kept, and everything else mostly.
  const mask = Uint8Array.from({ length: grid.size }, () => (random.uniform() < 0.8 ? 1 : 0));
  grid.rows.forEach((places, r) => {
    mask[at(places, at(target, r))] = 1;
  });
  const temperature = grid.rows.map(() => random.uniform(0.5, 3));
  const scale = 0.75;
  const rowsOf = (multiplierOf: (row: number) => number) =>
    grid.rows.map((places, r) => ({
      places,
      kept: places.map((place) => mask[place] !== 0),
      multiplier: multiplierOf(r),
    }));
  return {
    grid,
    rows: rowsOf((r) => scale / at(temperature, r)),
    plainRows: rowsOf(() => scale),
    x: rounded(random.normals(grid.size, 2)),
    teacher: rounded(random.normals(grid.size, 2)),
    // What the mask drops has probability 0, as it has in the prediction.
    q: rounded(random.uniforms(grid.size, 0, 1).map((value, place) => (mask[place] ? value : 0))),
    target,
    weight: Array.from({ length: grid.length }, () => random.uniform(0.2, 2)),
    gradOutput: grid.rows.map(() => random.uniform(-2, 2)),
    options: { axis, scale, temperature, mask },
  };
}

/** Σ q_c w_c (log Σ exp(z) − z_c) with the smoothed q, and its gradient. */
function lossOfRow(
  x: readonly number[],
  row: Row,
  probability: (k: number) => number,
  weight: readonly number[],
  smoothing: number,
) {
  const { log, p } = exact(x, row);
  const count = row.kept.filter(Boolean).length;
  const terms = log.map((_, k) =>
    row.kept[k] ? at(weight, k) * (probability(k) * (1 - smoothing) + smoothing / count) : 0,
  );
  const total = sum(terms);
  return {
    loss: 0 - sum(log.map((value, k) => (terms[k] === 0 ? 0 : at(terms, k) * value))),
    grad: p.map((value, k) => (value * total - at(terms, k)) * row.multiplier),
  };
}

function scattered(rows: readonly Row[], values: readonly (readonly number[])[], size: number): number[] {
  const all = new Array<number>(size).fill(0);
  rows.forEach(({ places }, r) => {
    places.forEach((place, k) => {
      all[place] = at(values[r] as number[], k);
    });
  });
  return all;
}

const reductions: readonly Reduction[] = ['mean', 'sum', 'none'];

describe.each(dtypes)('%s', (dtype) => {
  const rowDType = dtype === 'float64' ? 'float64' : 'float32';

  test.each(layouts)('crossEntropy, shape %j, axis %d', (shape, axis) => {
    const random = new Random(97);
    for (const reduction of reductions)
      for (const isIndexed of [true, false])
        for (const labelSmoothing of [0, 0.3, 1]) {
          const drawn = draw(random, shape, axis, dtype);
          const { grid, rows, x, q, target, weight, options } = drawn;
          const ignoreIndex = isIndexed ? at(target, rows.length - 1) : undefined;
          const isIgnored = (r: number) => isIndexed && target[r] === ignoreIndex;
          const results = rows.map((row, r) => {
            const probability = (k: number) =>
              isIndexed ? Number(k === target[r]) : at(q, at(row.places, k));
            const result = lossOfRow(x, row, probability, weight, labelSmoothing);
            return isIgnored(r) ? { loss: 0, grad: result.grad.map(() => 0) } : result;
          });
          const kept = rows.map((_, r) => r).filter((r) => !isIgnored(r));
          const divisor = isIndexed ? sum(kept.map((r) => at(weight, at(target, r)))) : rows.length;
          const one = at(drawn.gradOutput, 0);
          const gradLoss = (r: number) =>
            ({ mean: divisor === 0 ? 0 : one / divisor, sum: one, none: at(drawn.gradOutput, r) })[reduction];
          const actual = crossEntropy(
            { data: arrayOf(x, dtype), shape, dtype },
            isIndexed ? target : any({ data: arrayOf(q, dtype), shape, dtype }),
            {
              ...options,
              reduction,
              weight,
              ignoreIndex,
              labelSmoothing,
              gradOutput: reduction === 'none' ? drawn.gradOutput : one,
              grad: true,
              logProbs: true,
            },
          );
          const label = `${reduction}, ${isIndexed ? 'classes' : 'probabilities'}, smoothing ${labelSmoothing}`;
          const losses = results.map(({ loss }) => loss);
          if (typeof actual.loss !== 'number') {
            expectClose(numbersOf(actual.loss.data, rowDType), losses, rowDType, `loss, ${label}`);
          } else {
            const loss = reduction === 'mean' ? sum(losses) / divisor : sum(losses);
            expectClose([actual.loss], [loss], rowDType, `loss, ${label}`);
          }
          const grad = scattered(
            rows,
            results.map((row, r) => row.grad.map((value) => value * gradLoss(r))),
            grid.size,
          );
          expectClose(numbersOf(actual.grad.data, dtype), grad, dtype, `grad, ${label}`);
          const log = scattered(
            rows,
            rows.map((row) => exact(x, row).log),
            grid.size,
          );
          expectClose(numbersOf(actual.logProbs.data, dtype), log, dtype, `logProbs, ${label}`);
          expect(actual.count, label).toBe(kept.length);
          expect(typeof actual.loss === 'number', label).toBe(reduction !== 'none');
        }
  });

  test.each(layouts)('distillationLoss, shape %j, axis %d', (shape, axis) => {
    const random = new Random(98);
    for (const reduction of reductions)
      for (const alpha of [undefined, 0, 0.25, 1]) {
        const drawn = draw(random, shape, axis, dtype);
        const { grid, rows, plainRows, x, teacher, target, weight, options } = drawn;
        const share = alpha ?? 1;
        const divisor = sum([...target].map((y) => at(weight, y)));
        const one = at(drawn.gradOutput, 0);
        const factorOf = (r: number, over: number) =>
          ({ mean: 1 / over, sum: 1, none: 1 })[reduction] *
          (reduction === 'none' ? at(drawn.gradOutput, r) : one);
        const results = rows.map((row, r) => {
          const [s, t] = [exact(x, row), exact(teacher, row)];
          const square = at(options.temperature, r) ** 2;
          const kl = sum(t.p.map((p, k) => (p === 0 ? 0 : p * (at(t.log, k) - at(s.log, k)))));
          const plain = lossOfRow(x, plainRows[r] as Row, (k) => Number(k === target[r]), weight, 0);
          const grad = s.p.map(
            (p, k) =>
              share * square * (p - at(t.p, k)) * row.multiplier * factorOf(r, rows.length) +
              (1 - share) * at(plain.grad, k) * factorOf(r, divisor),
          );
          return { kl: share * square * kl, ce: (1 - share) * plain.loss, grad };
        });
        const actual = distillationLoss(
          { data: arrayOf(x, dtype), shape, dtype },
          { data: arrayOf(teacher, dtype), shape, dtype },
          {
            ...options,
            reduction,
            alpha,
            ...(alpha === undefined ? {} : { target, weight }),
            gradOutput: reduction === 'none' ? drawn.gradOutput : one,
            grad: true,
          },
        );
        const label = `${reduction}, alpha ${alpha}`;
        if (typeof actual.loss !== 'number') {
          const losses = results.map(({ kl, ce }) => kl + ce);
          expectClose(numbersOf(actual.loss.data, rowDType), losses, rowDType, `loss, ${label}`);
        } else {
          const [overKl, overCe] = reduction === 'mean' ? [rows.length, divisor] : [1, 1];
          const loss = sum(results.map(({ kl, ce }) => kl / overKl + ce / overCe));
          expectClose([actual.loss], [loss], rowDType, `loss, ${label}`);
        }
        const grad = scattered(
          rows,
          results.map((row) => row.grad),
          grid.size,
        );
        expectClose(numbersOf(actual.grad.data, dtype), grad, dtype, `grad, ${label}`);
        expect(actual.count, label).toBe(rows.length);
      }
  });

  test.each(layouts)('nllLoss, shape %j, axis %d: crossEntropy of log-probabilities', (shape, axis) => {
    const random = new Random(99);
    const { grid, rows, x, target, weight, gradOutput } = draw(random, shape, axis, dtype);
    const row = { data: arrayOf(x, dtype), shape, dtype };
    for (const reduction of reductions) {
      const options = { axis, weight, reduction, ignoreIndex: at(target, 0), grad: true } as const;
      const given = { ...options, gradOutput: reduction === 'none' ? gradOutput : 3 };
      const { loss, grad, count } = nllLoss(row, target, given);
      const isKept = [...target].map((y) => y !== target[0]);
      const losses = rows.map(({ places }, r) =>
        isKept[r] ? 0 - at(weight, at(target, r)) * at(x, at(places, at(target, r))) : 0,
      );
      const divisor = sum(rows.map((_, r) => (isKept[r] ? at(weight, at(target, r)) : 0)));
      const divided = sum(losses) / (reduction === 'mean' ? divisor : 1);
      if (typeof loss !== 'number') expectClose(numbersOf(loss.data, rowDType), losses, rowDType, 'loss');
      else if (divisor !== 0) expectClose([loss], [divided], rowDType, reduction);
      const gradLoss = (r: number) =>
        ({ mean: divisor === 0 ? 0 : 3 / divisor, sum: 3, none: at(gradOutput, r) })[reduction];
      const exactGrad = rows.map(({ places }, r) =>
        places.map((_, k) => (isKept[r] && k === target[r] ? 0 - at(weight, k) * gradLoss(r) : 0)),
      );
      expectClose(numbersOf(grad.data, dtype), scattered(rows, exactGrad, grid.size), dtype, 'grad');
      expect(count).toBe(isKept.filter(Boolean).length);
    }
  });
});

describe('means over nothing', () => {
  const x = Float32Array.of(1, 2, 3, 4);
  const shape = [2, 2];
  const zeros = new Float32Array(4);
  const ignored = Int32Array.of(-100, -100);
  const options = { shape, grad: true } as const;
  const f: Record<string, typeof crossEntropy> = { crossEntropy, nllLoss: any(nllLoss) };

  test.each(Object.entries(f))('%s: all rows ignored', (_name, lossOf) => {
    const nan = lossOf(x, ignored, options);
    expect([nan.loss, nan.count, nan.grad]).toEqual([NaN, 0, zeros]);
    expect(lossOf(x, ignored, { ...options, emptyMean: 'zero' }).loss).toBe(0);
  });

  test.each(Object.entries(f))('%s: weights that sum to 0', (_name, lossOf) => {
    const target = Int32Array.of(1, -100);
    const given = { ...options, weight: [1, 0] };
    const nan = lossOf(x, target, given);
    // As in PyTorch, except that an ignored row's gradient is 0.
    expect(nan.loss).toBe(NaN);
    expect(nan.grad.slice(2)).toEqual(Float32Array.of(0, 0));
    expect(nan.grad[1]).toBe(NaN);
    expect(nan.count).toBe(1);
    const zero = lossOf(x, target, { ...given, emptyMean: 'zero' });
    expect(zero.loss).toBe(0);
    expect(zero.grad.map(Math.abs)).toEqual(zeros);
    expect(lossOf(x, Int32Array.of(0, 1), { ...given, weight: [1, -1] }).loss).toBe(NaN);
  });

  test('no rows of probabilities, or of a teacher', () => {
    const empty = new Float32Array(0);
    for (const emptyMean of ['nan', 'zero'] as const) {
      const loss = emptyMean === 'nan' ? NaN : 0;
      const given = { shape: [0, 2], emptyMean };
      expect(crossEntropy(empty, empty, given)).toMatchObject({ loss, count: 0 });
      expect(distillationLoss(empty, empty, given)).toMatchObject({ loss, count: 0 });
      expect(crossEntropy(empty, empty, { ...given, reduction: 'sum' }).loss).toBe(0);
    }
  });

  test('a target that the mask drops is infinitely unlikely', () => {
    const mask = Uint8Array.of(1, 0);
    const row = x.subarray(0, 2);
    expect(crossEntropy(row, Int32Array.of(1), { mask }).loss).toBe(Infinity);
    expect(crossEntropy(row, Int32Array.of(1), { mask, labelSmoothing: 0.5 }).loss).toBe(Infinity);
    // As probabilities it takes no part.
    expect(crossEntropy(row, Float32Array.of(0.5, 0.5), { mask }).loss).toBe(0);
    expect(crossEntropy(row, Float32Array.of(1, 0), { mask }).loss).toBe(0);
    // Label smoothing spreads among what is kept.
    expect(crossEntropy(row, Int32Array.of(0), { mask, labelSmoothing: 0.5 }).loss).toBe(0);
  });

  test('a share of 0 of something infinite is nothing', () => {
    const student = Float32Array.of(0, -Infinity);
    const teacher = Float32Array.of(0, 0);
    const target = Int32Array.of(0);
    expect(distillationLoss(student, teacher, { target }).loss).toBe(Infinity);
    expect(distillationLoss(student, teacher, { target, alpha: 0 }).loss).toBe(0);
    const unreachable = Int32Array.of(1);
    expect(distillationLoss(student, student, { target: unreachable, alpha: 1 }).loss).toBe(0);
    expect(distillationLoss(student, student, { target: unreachable }).loss).toBe(Infinity);
  });
});

test('weight: a number that is not finite is found at every place', () => {
  for (let classes = 1; classes <= 10; classes++)
    for (let index = 0; index < classes; index++)
      for (const value of [Infinity, -Infinity, NaN]) {
        const weight = new Float64Array(classes).fill(-Number.MAX_VALUE).fill(value, index, index + 1);
        const call = () => crossEntropy(new Float32Array(classes), Int32Array.of(0), { weight });
        expect(call, `${classes}`).toThrow(`weight[${index}] = ${value} is not finite`);
      }
});
