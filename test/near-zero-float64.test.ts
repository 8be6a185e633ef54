// float64 logarithms where one exponential outweighs the others: its logit's log-probability, and log-sum-exps near 0
// (native/kernels/beside_top.h). No error is measured against anything but the result itself.

import { crossEntropy, getThreads, logSoftmax, logSumExp, setThreads } from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { ExactRow, formats, ulpError, ulpOf } from './helpers/exact-row.js';
import { Random } from './helpers/random.js';
import { Worst } from './helpers/reference.js';
import { at } from './helpers/rows.js';

const format = formats.float64;

/** Of log-probabilities and losses; a log-sum-exp may also be off by as many ULP of the row's maximum. */
const mostUlp = 5;

const makers: Record<string, (random: Random, length: number) => Float64Array> = {
  'a maximum of 0': (random, length) => rowBelow(random, length, 0),
  'a tiny maximum': (random, length) =>
    rowBelow(random, length, random.uniform(0, 1) * 10 ** -random.integer(20)),
  'a tiny maximum below 0': (random, length) =>
    rowBelow(random, length, -random.uniform(0, 1) * 10 ** -random.integer(20)),
  'any maximum': (random, length) => rowBelow(random, length, random.normal(1000)),
  'normal logits': (random, length) => Float64Array.from({ length }, () => random.normal(30)),
  'log-probabilities': (random, length) => logSoftmax(Float64Array.from({ length }, () => random.normal(5))),
};

/** All but one logit are `least` to 60 below the maximum. */
function rowBelow(random: Random, length: number, top: number): Float64Array {
  const least = random.uniform(0, 40);
  const row = Float64Array.from({ length }, () => top - random.uniform(least, 60));
  row[random.integer(length)] = top;
  return row;
}

/** So many rows, as one array. */
function rowsOf(random: Random, count: number, length: number): Float64Array[] {
  const all = Object.values(makers);
  return Array.from({ length: count }, (_, i) => (all[i % all.length] as (typeof all)[0])(random, length));
}
const flat = (rows: readonly Float64Array[]) => Float64Array.from(rows.flatMap((row) => [...row]));
const transposed = (rows: readonly Float64Array[]) =>
  Float64Array.from({ length: rows.length * (rows[0]?.length ?? 0) }, (_, i) =>
    at(rows[i % rows.length] as Float64Array, Math.floor(i / rows.length)),
  );
const bytesOf = ({ buffer }: Float64Array) => Buffer.from(buffer);

describe('float64 beside a logit that outweighs the others', () => {
  it('the rest is not lost beside 1', () => {
    const small = 4.248354255291589e-18;
    expect(logSumExp(new Float64Array([0, -40]))).toEqual(new Float64Array([small]));
    expect(logSumExp(new Float64Array([0, -30, -31]))).toEqual(new Float64Array([1.280010007730933e-13]));
    expect(logSoftmax(new Float64Array([0, -40]))).toEqual(new Float64Array([-small, -40]));
    expect(logSoftmax(new Float64Array([5, -35]))).toEqual(new Float64Array([-small, -40]));
    expect(logSoftmax(new Float64Array([1e6 - 40, 1e6]))).toEqual(new Float64Array([-40, -small]));
    for (const target of [0, 1, -100])
      for (const grad of [false, true])
        for (const labelSmoothing of [0, 0.1]) {
          const options = { grad, labelSmoothing, reduction: 'none' } as const;
          const { logSumExp: sums } = crossEntropy(new Float64Array([0, -40]), [target], options);
          expect(sums, JSON.stringify({ target, ...options })).toEqual(new Float64Array([small]));
        }
  });

  it('float32 log-sum-exps, whose sums are float64, lose nothing either', () => {
    const wanted = Math.fround(4.248354255291589e-18);
    const row = new Float32Array([0, -40]);
    const sums = [logSumExp(row), ...[0, 1, -100].map((target) => crossEntropy(row, [target]).logSumExp)];
    sums.push(crossEntropy(row, [1], { grad: row.slice() }).logSumExp);
    for (const sum of sums)
      expect(Math.abs(at(sum, 0) - wanted)).toBeLessThanOrEqual(ulpOf(wanted, formats.float32));
    const three = new ExactRow([0, -30, -31], formats.float32).logSumExp();
    const error = ulpError(at(logSumExp(new Float32Array([0, -30, -31])), 0), three, formats.float32);
    expect(error).toBeLessThan(1.5);
  });

  it.each(Object.keys(makers))(`${mostUlp} ULP: %s`, (kind) => {
    const random = new Random(17);
    const worst = { logSoftmax: new Worst(), logSumExp: new Worst(), loss: new Worst() };
    for (const length of [1, 2, 3, 9, 40, 300, 4097, 9000])
      for (let i = 0; i < Math.min(60, 9000 / length); i++) {
        const row = (makers[kind] as (random: Random, length: number) => Float64Array)(random, length);
        const exact = new ExactRow(row, format);
        const what = `${length} classes`;
        const logP = logSoftmax(row);
        for (let c = 0; c < length; c++)
          worst.logSoftmax.note(ulpError(at(logP, c), exact.logSoftmax(c), format), what);
        const top = at(row, exact.top);
        const unit = top < 0 ? ulpOf(top, format) : 0;
        worst.logSumExp.note(ulpError(at(logSumExp(row), 0), exact.logSumExp(), format, unit), what);
        for (const target of [exact.top, random.integer(length)])
          for (const grad of [false, true]) {
            const result = crossEntropy(row, [target], { grad });
            worst.loss.note(ulpError(result.loss, exact.loss(target), format), what);
            worst.logSumExp.note(ulpError(at(result.logSumExp, 0), exact.logSumExp(), format, unit), what);
          }
      }
    for (const [name, { error, label }] of Object.entries(worst))
      expect(error, `${name}: ${label}`).toBeLessThanOrEqual(mostUlp);
  });

  it('the same bits along another axis, masked, scaled, in place', () => {
    const random = new Random(18);
    for (const length of [2, 9, 40, 300]) {
      const count = 34;
      const rows = rowsOf(random, count, length);
      const x = flat(rows);
      const shape = [count, length];
      const sums = Float64Array.from(rows, (row) => at(logSumExp(row), 0));
      const logP = flat(rows.map((row) => logSoftmax(row)));
      const across = { shape: [length, count], axis: 0 };
      const columns = transposed(rows);
      const columnsOfLogP = Float64Array.from(columns, (_, i) =>
        at(logP, (i % count) * length + Math.floor(i / count)),
      );
      expect(logSumExp(x, { shape })).toEqual(sums);
      expect(logSoftmax(x, { shape })).toEqual(logP);
      expect(logSumExp(columns, across)).toEqual(sums);
      expect(logSoftmax(columns, across)).toEqual(columnsOfLogP);
      const inPlace = x.slice();
      expect(logSoftmax(inPlace, { shape, out: inPlace })).toEqual(logP);
      // Exact divisions: the same logits.
      const doubled = { shape, temperature: 2 };
      expect(
        logSumExp(
          x.map((v) => v * 2),
          doubled,
        ),
      ).toEqual(sums);
      expect(
        logSoftmax(
          x.map((v) => v * 2),
          doubled,
        ),
      ).toEqual(logP);
      expect(
        logSoftmax(
          x.map((v) => -v),
          { shape, scale: -1 },
        ),
      ).toEqual(logP);
      // The mask drops what is larger than all.
      const wider = flat(rows.map((row) => Float64Array.from([...row, 1e9])));
      const mask = Uint8Array.from(wider, (v) => Number(v !== 1e9));
      const masked = { shape: [count, length + 1], mask };
      // One more element may change the order of a sum, not where it has but two.
      if (length === 2) expect(logSumExp(wider, masked)).toEqual(sums);
      const wide = logSoftmax(wider, masked);
      rows.forEach((row, i) => {
        const exact = new ExactRow(row, format);
        const top = i * (length + 1) + exact.top;
        expect(ulpError(at(wide, top), exact.logSoftmax(exact.top), format)).toBeLessThanOrEqual(mostUlp);
        expect(at(wide, i * (length + 1) + length)).toBe(Number.NEGATIVE_INFINITY);
      });
      const targets = Int32Array.from(rows, (_, i) => (i % 5 === 4 ? -100 : i % length));
      const none = { shape, reduction: 'none' } as const;
      const { loss, grad, logSumExp: ofLoss } = crossEntropy(x, targets, { ...none, grad: true });
      expect(crossEntropy(x, targets, none).loss).toEqual(loss);
      expect(crossEntropy(x, targets, none).logSumExp).toEqual(ofLoss);
      const over = x.slice();
      const replaced = crossEntropy(over, targets, { ...none, grad: over });
      expect(replaced.loss).toEqual(loss);
      expect(replaced.logSumExp).toEqual(ofLoss);
      expect(replaced.grad).toEqual(grad);
      const ofAxis = crossEntropy(columns, targets, { ...across, reduction: 'none', grad: true });
      expect(ofAxis.loss).toEqual(loss);
      expect(ofAxis.logSumExp).toEqual(ofLoss);
    }
  });

  it('of long rows in parts: the same bits in any number of threads, and as exact', () => {
    const before = getThreads();
    const random = new Random(19);
    const length = 300_001;
    try {
      for (const [top, lowest] of [
        [0, 60],
        [5000, 60],
        [-3, 30],
      ] as const) {
        const row = Float64Array.from({ length }, () => top - random.uniform(20, lowest));
        const target = random.integer(length);
        row[target] = top;
        const exact = new ExactRow(row, format);
        const results = [1, 2, 4].map((threads) => {
          setThreads(threads);
          const over = row.slice();
          const inPlace = crossEntropy(over, [target], { grad: over });
          const other = crossEntropy(row, [(target + 7) % length], { grad: true });
          return [
            logSoftmax(row),
            logSumExp(row),
            inPlace.logSumExp,
            other.logSumExp,
            crossEntropy(row, [target]).logSumExp,
            new Float64Array([inPlace.loss, other.loss]),
          ];
        });
        // toEqual takes seconds for so many elements.
        for (const some of results)
          some.forEach((values, i) => {
            expect(bytesOf(values).equals(bytesOf((results[0] as Float64Array[])[i] as Float64Array))).toBe(
              true,
            );
          });
        const [logP, sum, ofInPlace, ofOther, ofLoss] = results[0] as Float64Array[];
        expect(ulpError(at(logP as Float64Array, target), exact.logSoftmax(target), format)).toBeLessThan(8);
        const unit = top < 0 ? ulpOf(top, format) : 0;
        for (const some of [sum, ofInPlace, ofOther, ofLoss])
          expect(ulpError(at(some as Float64Array, 0), exact.logSumExp(), format, unit)).toBeLessThan(8);
      }
    } finally {
      setThreads(before);
    }
  });

  it('ties, NaN, infinities and one logit', () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    expect(logSoftmax(new Float64Array([3, 3]))).toEqual(new Float64Array([-Math.LN2, -Math.LN2]));
    expect(logSoftmax(new Float64Array([7]))).toEqual(new Float64Array([0]));
    expect(logSumExp(new Float64Array([0.25, -infinity]))).toEqual(new Float64Array([0.25]));
    expect(logSoftmax(new Float64Array([0.25, -infinity]))).toEqual(new Float64Array([0, -infinity]));
    for (const row of [
      [0, nan],
      [infinity, 0],
      [-infinity, -infinity],
      [infinity, nan],
    ])
      expect(logSoftmax(Float64Array.from(row))).toEqual(new Float64Array([nan, nan]));
    expect(logSoftmax(new Float64Array([1e308, -1e308]))).toEqual(new Float64Array([0, -infinity]));
    expect(logSoftmax(new Float64Array([1, 1, 0]), { temperature: 0 })).toEqual(
      new Float64Array([-Math.LN2, -Math.LN2, -infinity]),
    );
    const long = new Float64Array(9000).fill(-infinity);
    expect(logSoftmax(long)).toEqual(new Float64Array(9000).fill(nan));
    long[8999] = 2;
    long[3] = 2 - 40;
    expect(at(logSoftmax(long), 8999)).toBe(-4.248354255291589e-18);
    long[100] = nan;
    expect(logSoftmax(long)).toEqual(new Float64Array(9000).fill(nan));
  });
});
