// The distribution of a row in double throughout, as in native/kernels/distribution.h: for losses whose gradients
// cancel. The largest logits are left out of the sum, so that nothing is lost as their probability goes to 1.

import type { Values } from './exp.js';
import { exponential } from './exp-double.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { rowMaximum } from './row-sum.js';
import { type Scaling, scaledDifference, signedLogit } from './scaling.js';
import { BlockSums, blockSize } from './tree.js';

const { fround } = Math;

export const smallestNormal = 2 ** -1022;

/** body(from, count) for every block of a row. */
export function eachBlock(length: number, body: (from: number, count: number) => void): void {
  for (let from = 0; from < length; from += blockSize) body(from, Math.min(blockSize, length - from));
}

/** d = (z − top) · factor. −Infinity stays that, whatever the factor. */
function shiftedLogit(logit: number, top: number, scaling: Scaling): number {
  const signed = signedLogit(logit, scaling);
  return signed >= -scaling.largest ? scaledDifference(signed, top, scaling.factor) : signed;
}

/** Whether a row whose largest logit is `top` has a distribution; else it is NaN. */
const isProper = (top: number, { largest }: Scaling): boolean => top >= -largest && top <= largest;

/** d of a block. */
function shift(
  values: Values,
  begin: number,
  count: number,
  top: number,
  { sign, factor, largest, isDouble }: Scaling,
  d: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const product = (values[begin + i] as number) * sign;
    const signed = isDouble ? product : fround(product);
    d[i] = signed >= -largest ? scaledDifference(signed, top, factor) : signed;
  }
}

/**
 * exp(d), but 0 for the largest, which are those whose exponential is 1. Returns how many they are. In a loop of its
 * own, as the processor has more of the exponentials' chains of operations in sight that way.
 */
function exponentials(d: Float64Array, e: Float64Array, count: number): number {
  let largestCount = 0;
  for (let i = 0; i < count; i++) {
    const value = exponential(d[i] as number);
    const isTop = value >= 1;
    if (isTop) largestCount++;
    e[i] = isTop ? 0 : value;
  }
  return largestCount;
}

/** Memory for a block of a row: d and its exponentials. */
export class BlockMemory {
  readonly d = new Float64Array(blockSize);
  /** exp(d), but 0 for the largest logits. */
  readonly e = new Float64Array(blockSize);
}

/**
 * One row's logits, shifted by the largest and scaled, d_c = (z_c − max z) · factor, and their exponentials: a block at a
 * time, in memory of the caller's.
 */
export class ShiftedLogits {
  readonly top: number;
  readonly #values: Values;
  readonly #begin: number;
  readonly #length: number;
  readonly #scaling: Scaling;
  readonly #memory: BlockMemory;
  readonly #below = new BlockSums();
  #largest = 0;

  constructor(values: Values, begin: number, length: number, scaling: Scaling, memory: BlockMemory) {
    this.#values = values;
    this.#begin = begin;
    this.#length = length;
    // As in the native kernels, where a factor of 0 would make NaN of −Infinity.
    this.#scaling = scaling.isDouble || scaling.factor > 0 ? scaling : { ...scaling, factor: 2 ** -500 };
    this.#memory = memory;
    this.top = rowMaximum(values, begin, length, scaling);
  }

  /** Every block once, in their order. */
  take(from: number, count: number): void {
    this.#largest += this.#compute(from, count);
    this.#below.add(this.#memory.e, count);
  }

  /** Any block once more. A row of one block is still in memory. */
  takeAgain(from: number, count: number): void {
    if (this.#length > blockSize) this.#compute(from, count);
  }

  /** After all blocks were taken. */
  normalizer(): Normalizer {
    return new Normalizer(this.#largest, this.#below.total());
  }

  /** d of one element. */
  at(c: number): number {
    return shiftedLogit(this.#values[this.#begin + c] as number, this.top, this.#scaling);
  }

  /** A NaN beside numbers shows in the sums. */
  get isProper(): boolean {
    return isProper(this.top, this.#scaling);
  }

  #compute(from: number, count: number): number {
    const { d, e } = this.#memory;
    shift(this.#values, this.#begin + from, count, this.top, this.#scaling, d);
    return exponentials(d, e, count);
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

/** exp(d) from what `e` has of it: 0 for the largest. */
export const exponentialOf = (d: number, e: number): number => (e === 0 && d > -1 ? 1 : e);

/** q · m, where 0 · Infinity is 0. */
export function product(q: number, m: number): number {
  return q === 0 ? 0 : q * m;
}
