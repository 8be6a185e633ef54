// Exact results of a row of 16-bit numbers, and what is documented of rows with infinities and NaN.

import {
  add,
  type DoubleDouble,
  fromNumber,
  multiply,
  negative,
  subtract,
} from '../../test/helpers/double-double.js';
import { ExactRow, type Format, formats, ulpError, ulpOf } from '../../test/helpers/exact-row.js';

/** Errors are measured in units of `unit` where that is more than an ULP. */
export interface Sum extends DoubleDouble {
  readonly unit?: number;
}

/** An exact number; a number that the result must be; or nothing that can be compared. */
export type Exact = Sum | number | undefined;

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const zero = fromNumber(0);

/** The terms of sums may cancel; they are summed in float64, to so much of their sizes. */
export const float64Unit = 2 ** -50;

export const sumOf = (terms: readonly DoubleDouble[]): DoubleDouble => terms.reduce(add, zero);

/** The error of a result in ULP; infinite where the result is not the stated one. */
export function errorOf(actual: number, exact: Exact, format: Format): number {
  if (exact === undefined) return 0;
  if (typeof exact === 'number')
    return actual === exact || (Number.isNaN(actual) && Number.isNaN(exact)) ? 0 : infinity;
  const { precision, lowestExponent } = format;
  // Halfway between the largest number and the next, which there is none of.
  const beyond = (2 - 2 ** -precision) * 2 ** (1 - lowestExponent);
  const size = Math.abs(exact.high) / beyond;
  if (size > 1 - 2 ** -22 && Math.abs(actual) === infinity)
    return Math.sign(actual) === Math.sign(exact.high) ? 0 : infinity;
  return size > 1 + 2 ** -22 ? infinity : ulpError(actual, exact, format, exact.unit);
}

/** The distribution of logits, some of which may be special. */
export class Distribution {
  readonly #logits: readonly number[];
  /** Of the finite logits. */
  readonly #row: ExactRow | undefined;
  readonly #places: readonly number[];
  readonly #length: number;
  /** A quarter of a float32 ULP of the largest logit: no logarithm can be better than the logits are. */
  readonly unit: number;
  /** NaN or +Infinity among the logits, or nothing but −Infinity. */
  readonly isNan: boolean;

  /** `format`: exponentials below its normal numbers may be 0. */
  constructor(logits: readonly number[], format: Format) {
    this.#logits = logits;
    this.#length = logits.length;
    const finite = logits.filter(Number.isFinite);
    let place = 0;
    this.#places = logits.map((logit) => (Number.isFinite(logit) ? place++ : -1));
    this.isNan = logits.some((logit) => Number.isNaN(logit) || logit === infinity) || finite.length === 0;
    this.#row = this.isNan ? undefined : new ExactRow(finite, format);
    this.unit = this.#row ? ulpOf(this.#row.largestMagnitude(), formats.float32) / 4 : 0;
  }

  get #exact(): ExactRow {
    return this.#row as ExactRow;
  }
  #place(i: number): number {
    return this.#places[i] as number;
  }

  probability(i: number): DoubleDouble {
    return this.#place(i) < 0 ? zero : this.#exact.softmax(this.#place(i));
  }
  /** May be 0 by the contract: below the threshold it is, near it either. */
  isFlushed(i: number): boolean {
    return this.#place(i) < 0 || !this.#exact.isNormal(this.#place(i));
  }
  /** −Infinity for a logit that is. */
  logProbability(i: number): DoubleDouble | undefined {
    return this.#place(i) < 0 ? undefined : this.#exact.logSoftmax(this.#place(i));
  }
  logSumExp(): Exact {
    if (this.#logits.some(Number.isNaN)) return nan;
    if (this.isNan) return this.#logits.includes(infinity) ? infinity : -infinity;
    return { ...this.#exact.logSumExp(), unit: this.unit };
  }
  /** p_i − [i = target]. */
  gradient(i: number, target: number): DoubleDouble {
    if (this.#place(i) < 0) return fromNumber(i === target ? -1 : 0);
    if (this.#place(target) < 0) return this.probability(i);
    return this.#exact.gradient(this.#place(i), this.#place(target));
  }
  /** Σ q_c (log Σ − z_c): infinite where a q meets a logit of −Infinity. */
  crossEntropy(q: readonly number[]): Exact {
    const terms: DoubleDouble[] = [];
    for (let i = 0; i < this.#length; i++) {
      const log = this.logProbability(i);
      if (q[i] === 0) continue;
      if (log === undefined) return infinity;
      terms.push(multiply(negative(log), fromNumber(q[i] as number)));
    }
    return { ...sumOf(terms), unit: float64Unit * terms.reduce((sum, { high }) => sum + Math.abs(high), 0) };
  }
  /** −Σ p_c log p_c. */
  entropy(): DoubleDouble {
    const terms: DoubleDouble[] = [];
    for (let i = 0; i < this.#length; i++) {
      const log = this.logProbability(i);
      if (log) terms.push(multiply(this.probability(i), negative(log)));
    }
    return sumOf(terms);
  }
  /** KL(this ‖ other). */
  divergence(other: Distribution): Exact {
    const terms: DoubleDouble[] = [];
    for (let i = 0; i < this.#length; i++) {
      const [p, log, logOther] = [this.probability(i), this.logProbability(i), other.logProbability(i)];
      if (p.high === 0 || log === undefined) continue;
      if (logOther === undefined) return infinity;
      terms.push(multiply(p, subtract(log, logOther)));
    }
    return sumOf(terms);
  }
}
