// The exact results of one row, to some 100 bits, and the error of a computed number in ULP.

import {
  add,
  type DoubleDouble,
  divide,
  exp,
  fromNumber,
  log1p,
  negative,
  subtract,
  twoSum,
} from './double-double.js';

/** A format of binary floating point: bits of the significand, and the exponent of its smallest normal number. */
export interface Format {
  readonly precision: number;
  readonly lowestExponent: number;
}

export const formats = {
  float32: { precision: 24, lowestExponent: -126 },
  float64: { precision: 53, lowestExponent: -1022 },
  float16: { precision: 11, lowestExponent: -14 },
  bfloat16: { precision: 8, lowestExponent: -126 },
} as const satisfies Record<string, Format>;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** The distance of a format's numbers around the exact value: that of its binade, or that of the denormals. */
export function ulpOf(exact: number, { precision, lowestExponent }: Format): number {
  double[0] = exact;
  const exponent = (((words[1] as number) >>> 20) & 2047) - 1023;
  return 2 ** (Math.max(exponent, lowestExponent) + 1 - precision);
}

/** |actual − exact| in ULP of the exact value, or in units of `unit` where that is more. */
export function ulpError(actual: number, exact: DoubleDouble, format: Format, unit = 0): number {
  const error = Math.abs(actual - exact.high - exact.low) / Math.max(ulpOf(exact.high, format), unit);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

const zero = fromNumber(0);
const one = fromNumber(1);

/** A row of finite logits, at temperature 1. */
export class ExactRow {
  readonly #logits: ArrayLike<number>;
  readonly #high: Float64Array;
  readonly #low: Float64Array;
  /** The first of the largest logits. */
  readonly top: number;
  /** Σ exp(z_j − max) without the top itself. */
  readonly #others: DoubleDouble;
  readonly #sum: DoubleDouble;
  readonly #logSum: DoubleDouble;
  /** Exponentials below 2^lowestExponent: results may give exactly 0 for them. */
  readonly #floor: number;

  constructor(logits: ArrayLike<number>, { lowestExponent }: Format) {
    const { length } = logits;
    this.#logits = logits;
    this.#high = new Float64Array(length);
    this.#low = new Float64Array(length);
    this.#floor = 2 ** lowestExponent;
    let top = 0;
    for (let i = 1; i < length; i++) if ((logits[i] as number) > (logits[top] as number)) top = i;
    this.top = top;
    // What is further down adds less than 2^−20 of the floor.
    const depth = (lowestExponent - 20) * Math.LN2;
    let others = zero;
    let lastLogit = logits[top] as number;
    let last = one;
    for (let i = 0; i < length; i++) {
      const logit = logits[i] as number;
      if (logit !== lastLogit) {
        const difference = this.#differenceOf(i);
        last = difference.high < depth ? zero : exp(difference);
        lastLogit = logit;
      }
      this.#high[i] = last.high;
      this.#low[i] = last.low;
      if (i !== top) others = add(others, last);
    }
    this.#others = others;
    this.#sum = add(others, one);
    this.#logSum = log1p(others);
  }

  /** z_i − max. */
  #differenceOf(i: number): DoubleDouble {
    return twoSum(this.#logits[i] as number, -(this.#logits[this.top] as number));
  }

  #exponentialOf(i: number): DoubleDouble {
    return { high: this.#high[i] as number, low: this.#low[i] as number };
  }

  /** exp(z_i − max) is a normal number of the format. Near the threshold a result may be on either side. */
  isNormal(i: number): boolean {
    return (this.#high[i] as number) > this.#floor * (1 + 2 ** -10);
  }

  softmax(i: number): DoubleDouble {
    return divide(this.#exponentialOf(i), this.#sum);
  }

  logSoftmax(i: number): DoubleDouble {
    return subtract(this.#differenceOf(i), this.#logSum);
  }

  logSumExp(): DoubleDouble {
    return add(fromNumber(this.#logits[this.top] as number), this.#logSum);
  }

  /** The largest |z_i|. */
  largestMagnitude(): number {
    let largest = 0;
    for (let i = 0; i < this.#logits.length; i++)
      largest = Math.max(largest, Math.abs(this.#logits[i] as number));
    return largest;
  }

  loss(target: number): DoubleDouble {
    return negative(this.logSoftmax(target));
  }

  /** p_i − [i = target]: nothing cancels as p → 1. */
  gradient(i: number, target: number): DoubleDouble {
    if (i !== target) return this.softmax(i);
    const others = i === this.top ? this.#others : subtract(this.#sum, this.#exponentialOf(i));
    return negative(divide(others, this.#sum));
  }
}
