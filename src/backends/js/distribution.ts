// The distribution of a row in double throughout, as in native/kernels/distribution.h: for losses whose gradients
// cancel. The largest logits are left out of the sum, so that nothing is lost as their probability goes to 1.

import { exponential, type Values } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { rowMaximum } from './row-sum.js';
import { type Scaling, scaledDifference, signedLogit } from './scaling.js';
import { termSum } from './tree.js';

export const smallestNormal = 2 ** -1022;

/** One row's logits, shifted by the largest and scaled: d_c = (z_c − max z) · factor. */
export class ShiftedLogits {
  readonly top: number;
  readonly #values: Values;
  readonly #begin: number;
  readonly #scaling: Scaling;

  constructor(values: Values, begin: number, length: number, scaling: Scaling) {
    this.#values = values;
    this.#begin = begin;
    this.#scaling = scaling;
    this.top = rowMaximum(values, begin, length, scaling);
  }

  /** −Infinity stays −Infinity, whatever the factor. */
  at(c: number): number {
    const scaling = this.#scaling;
    const signed = signedLogit(this.#values[this.#begin + c] as number, scaling);
    return signed >= -scaling.largest ? scaledDifference(signed, this.top, scaling.factor) : signed;
  }

  /** Whether there is a distribution; else the row is NaN. A NaN beside numbers shows in the sums. */
  get isProper(): boolean {
    return this.top >= -this.#scaling.largest && this.top <= this.#scaling.largest;
  }
}

/** Σ exp(d), which is `below` + the number of logits that are largest. */
export class Normalizer {
  /** The sum without one of the largest logits. */
  readonly others: number;
  readonly sum: number;
  readonly log: number;

  /** `largest`: how many logits are the largest; `below`: Σ exp(d) of the others. */
  constructor(largest: number, below: number) {
    this.others = below + (largest - 1);
    this.sum = below + largest;
    this.log = this.others <= 1 ? logOnePlusRatio(this.others) : logScaled(this.sum, 0);
  }
}

export function normalize(logits: ShiftedLogits, length: number): Normalizer {
  // A count is the same in any order.
  let largest = 0;
  const below = termSum(length, (terms, from, count) => {
    for (let i = 0; i < count; i++) {
      const d = logits.at(from + i);
      const isLargest = -d < smallestNormal;
      if (isLargest) largest++;
      terms[i] = isLargest ? 0 : exponential(d);
    }
  });
  return new Normalizer(largest, below);
}

/** q · m, where 0 · Infinity is 0. */
export function product(q: number, m: number): number {
  return q === 0 ? 0 : q * m;
}
