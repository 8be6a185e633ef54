// float64 against references of 100 bits, which are checked by big integers first; float16 and bfloat16 bit by bit
// against the float32 results, rounded once.

import {
  crossEntropy,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { type DoubleDouble, exp, fromNumber, log1p } from './helpers/double-double.js';
import { ExactRow, formats, ulpError, ulpOf } from './helpers/exact-row.js';
import { bitsOf, numberOf, roundTo } from './helpers/half-bits.js';
import { Random } from './helpers/random.js';
import { Worst } from './helpers/reference.js';
import { at } from './helpers/rows.js';

describe('the references themselves', () => {
  /** Integers that stand for numbers, times 2^400. */
  const one = 1n << 400n;
  const fixed = (value: number) => {
    const unit = ulpOf(value, formats.float64);
    return (BigInt(value / unit) * one) / BigInt(1 / unit);
  };
  const fixedPair = ({ high, low }: DoubleDouble) => fixed(high) + fixed(low);
  const exactExp = (x: bigint) => {
    // The series of x / 2^20, squared 20 times.
    let term = one;
    let sum = one;
    for (let n = 1n; term !== 0n; n++) {
      term = (term * (x >> 20n)) / one / n;
      sum += term;
    }
    for (let i = 0; i < 20; i++) sum = (sum * sum) / one;
    return sum;
  };
  const relative = (actual: bigint, exact: bigint) => Math.abs(Number(actual - exact) / Number(exact));

  it('exp and log1p are good to 2^-95', () => {
    const random = new Random(5);
    for (let i = 0; i < 500; i++) {
      const x = -random.uniform(0, i % 3 === 0 ? 1 : 40);
      expect(relative(fixedPair(exp(fromNumber(x))), exactExp(fixed(x))), `exp(${x})`).toBeLessThan(2 ** -95);
      const y = random.uniform(0, 10) * 10 ** -random.integer(20);
      const log = fixedPair(log1p(fromNumber(y)));
      expect(relative(exactExp(log) - one, fixed(y)), `log1p(${y})`).toBeLessThan(2 ** -95);
    }
  });

  it('16 bits: every pattern comes back, and what is halfway goes to even', () => {
    for (const format of [formats.float16, formats.bfloat16])
      expect(
        Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => {
          const value = numberOf(bits, format);
          return !Number.isNaN(value) && bitsOf(value, format) !== bits;
        }),
      ).toEqual([]);
    expect(roundTo(2049, formats.float16)).toBe(2048);
    expect(roundTo(2051, formats.float16)).toBe(2052);
    expect(roundTo(65519, formats.float16)).toBe(65504);
    expect(roundTo(65520, formats.float16)).toBe(Number.POSITIVE_INFINITY);
    expect(roundTo(1.5 * 2 ** -24, formats.float16)).toBe(2 ** -23);
    expect(roundTo(257, formats.bfloat16)).toBe(256);
  });
});

describe('float64', () => {
  const lengths = [1, 2, 3, 5, 10, 33, 100, 257, 1000, 4095, 4097, 20000];
  const makers: Record<string, (random: Random, length: number, deviation: number) => Float64Array> = {
    normal: (random, length, deviation) => Float64Array.from({ length }, () => random.normal(deviation)),
    equal: (random, length, deviation) => new Float64Array(length).fill(random.normal(deviation)),
    'one dominant': (random, length, deviation) => {
      const base = random.normal(deviation);
      const row = Float64Array.from({ length }, () => base + random.normal());
      row[random.integer(length)] = base + random.uniform(4, 80);
      return row;
    },
  };

  function* rows() {
    const random = new Random(64);
    for (const [kind, make] of Object.entries(makers))
      for (const length of lengths)
        for (const deviation of [1, 10, 100, 1e4])
          for (let i = 0; i < Math.min(20, 2000 / length); i++) {
            const row = make(random, length, deviation);
            const target = random.uniform() < 0.5 ? random.integer(length) : row.indexOf(Math.max(...row));
            yield { row, target, what: `${kind}, ${length} classes, deviation ${deviation}` };
          }
  }

  const worst = {
    softmax: new Worst(),
    logSoftmax: new Worst(),
    logSumExp: new Worst(),
    loss: new Worst(),
    gradient: new Worst(),
  };
  const results = () => {
    for (const { row, target, what } of rows()) {
      const exact = new ExactRow(row, formats.float64);
      const top = at(row, exact.top);
      // A maximum below 0 is what the rest of a log-sum-exp cancels.
      const unit = top < 0 ? ulpOf(top, formats.float64) : 0;
      // What is smaller may be made of an exponential that is 0.
      const isComparable = (value: DoubleDouble) => value.high === 0 || Math.abs(value.high) > 2 ** -960;
      const p = softmax(row);
      const logP = logSoftmax(row);
      const { loss, grad } = crossEntropy(row, new Int32Array([target]), { grad: true });
      for (let i = 0; i < row.length; i++) {
        const exactLog = exact.logSoftmax(i);
        if (isComparable(exactLog))
          worst.logSoftmax.note(ulpError(at(logP, i), exactLog, formats.float64), what);
        if (!exact.isNormal(i)) {
          if (at(p, i) !== 0) worst.softmax.note(at(p, i) < 2 ** -1021 ? 0 : Number.POSITIVE_INFINITY, what);
          continue;
        }
        worst.softmax.note(ulpError(at(p, i), exact.softmax(i), formats.float64), what);
        worst.gradient.note(ulpError(at(grad, i), exact.gradient(i, target), formats.float64), what);
      }
      worst.logSumExp.note(ulpError(at(logSumExp(row), 0), exact.logSumExp(), formats.float64, unit), what);
      if (isComparable(exact.loss(target)))
        worst.loss.note(ulpError(loss, exact.loss(target), formats.float64), what);
    }
  };

  it('softmax and gradients within 12 ULP; logarithms within 5, log-sum-exps or 5 ULP of a maximum below 0', () => {
    results();
    const bounds = { softmax: 12, logSoftmax: 5, logSumExp: 5, loss: 5, gradient: 12 };
    for (const [name, { error, label }] of Object.entries(worst))
      expect(error, `${name}: ${label}`).toBeLessThanOrEqual(bounds[name as keyof typeof bounds]);
  });
});

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  const format = formats[dtype];
  const bitsOfAll = (values: ArrayLike<number>) =>
    Uint16Array.from(values, (value) => bitsOf(roundTo(value, format), format));
  const valuesOf = (bits: Uint16Array) => Float32Array.from(bits, (half) => numberOf(half, format));
  /** The index of the first difference, −1 if there is none. */
  const differenceOf = (actual: ArrayLike<number>, wanted: ArrayLike<number>) =>
    Array.from(wanted).findIndex((value, i) => actual[i] !== value);
  const tensor = (data: Uint16Array, dims: number[]) => ({ data, dims, type: dtype });

  it('every number is read as what it is', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    // The log-sum-exp of a row of one.
    const read = logSumExp(tensor(all, [65536, 1]), { dtype: 'float32' }).data;
    const wrong = valuesOf(all).findIndex((value, i) => value !== at(read, i) && !Number.isNaN(value));
    expect(wrong).toBe(-1);
  });

  it('float32 results are rounded to nearest, ties to even', () => {
    const random = new Random(16);
    // Around all numbers of the format: they, what is halfway, and the floats beside.
    const values = Float32Array.from({ length: 200_000 }, (_, i) => {
      const low = numberOf(random.integer(0x7f80 >> 1) + (i % 2 ? 0x8000 : 0), format);
      const half = low + (ulpOf(low, format) / 2) * (i % 3);
      return half * (1 + ((i % 5) - 2) * 2 ** -23);
    });
    const rounded = logSumExp({ data: values, dims: [values.length, 1], type: 'float32' }, { dtype }).data;
    const wanted = bitsOfAll(values);
    const bits = new Uint16Array(rounded.buffer, rounded.byteOffset, rounded.length);
    expect(differenceOf(bits, wanted)).toBe(-1);
  });

  it('every function: the float32 result of the same numbers, rounded', () => {
    const random = new Random(17);
    for (const length of [1, 2, 7, 33, 300, 5000])
      for (const deviation of [0.1, 1, 10, 100]) {
        const dims = [3, length];
        const half = bitsOfAll(random.normals(3 * length, deviation));
        const halfGrad = bitsOfAll(random.normals(3 * length));
        const x = valuesOf(half);
        const options = { shape: dims, dtype } as const;
        const targets = random.classes(3, length);
        const p = softmax(half, options);
        const logP = logSoftmax(half, options);
        const loss = crossEntropy(half, targets, { ...options, grad: true });
        const floatLoss = crossEntropy(x, targets, { shape: dims, grad: true });
        const shape = { shape: dims };
        const floatGrad = valuesOf(halfGrad);
        const pairs: Record<string, [actual: ArrayLike<number>, float32: ArrayLike<number>]> = {
          softmax: [p, softmax(x, shape)],
          logSoftmax: [logP, logSoftmax(x, shape)],
          logSumExp: [logSumExp(half, options), logSumExp(x, shape)],
          softmaxBackward: [
            softmaxBackward(halfGrad, p, options),
            softmaxBackward(floatGrad, valuesOf(p), shape),
          ],
          logSoftmaxBackward: [
            logSoftmaxBackward(halfGrad, logP, options),
            logSoftmaxBackward(floatGrad, valuesOf(logP), shape),
          ],
          gradient: [loss.grad, floatLoss.grad],
        };
        for (const [name, [actual, float32]] of Object.entries(pairs))
          expect(differenceOf(actual, bitsOfAll(float32)), `${name}, ${length} classes`).toBe(-1);
        expect(loss.loss).toBe(floatLoss.loss);
        expect(loss.logSumExp).toEqual(floatLoss.logSumExp);
        // float32 out of 16 bits in: not rounded at all.
        const widened = softmax(tensor(half, dims), { dtype: 'float32' }).data;
        expect(differenceOf(widened, softmax(x, shape)), `${length} classes`).toBe(-1);
      }
  });
});
