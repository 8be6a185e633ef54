// The distribution of a row in double throughout, as in native/kernels/distribution.h: for losses whose gradients
// cancel. The largest logits are left out of the sum, so that nothing is lost as their probability goes to 1.

import type { Values } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { roundingShift64 } from './reference.js';
import { rowMaximum } from './row-sum.js';
import { type Scaling, scaledDifference, signedLogit } from './scaling.js';

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

/** exp(d) below the largest logit, 0 at it: what Normalizer's `below` is the sum of. */
export function belowTop(d: number, e: number): number {
  return -d < smallestNormal ? 0 : e;
}

/** Σ exp(d), which is `below` + the number of logits that are largest. */
export class Normalizer {
  /** The sum without one of the largest logits. */
  readonly others: number;
  readonly sum: number;
  readonly log: number;

  /** `all`: Σ exp(d); `below`: the same without the largest logits. Their difference is a count. */
  constructor(all: number, below: number) {
    const largest = all - below + roundingShift64 - roundingShift64;
    this.others = below + (largest - 1);
    this.sum = below + largest;
    this.log = this.others <= 1 ? logOnePlusRatio(this.others) : logScaled(this.sum, 0);
  }
}

/** q · m, where 0 · Infinity is 0. */
export function product(q: number, m: number): number {
  return q === 0 ? 0 : q * m;
}
