// Sums of exponentials, each with what it is measured against, as in native/kernels/scaled_sums.h.

import { exponential } from './exp-double.js';
import { ln2Leading, ln2Trailing } from './log.js';
import { powerOfTwo } from './reference.js';
import type { Scaling } from './scaling.js';

/** What sums are measured against: exp(offset · factor) · 2^exponent. */
export interface Measure {
  readonly offset: number;
  readonly exponent: number;
}

/** sum · exp(offset · factor) · 2^exponent. Nothing summed: sum 0. */
export interface ScaledSum extends Measure {
  readonly sum: number;
}

/** What a sum in one measure is multiplied by to be in another. */
export function weightIn(to: Measure, from: Measure, { factor, isLimit }: Scaling): number {
  const exponent = from.exponent - to.exponent;
  const offset = from.offset - to.offset;
  if (offset === 0) return powerOfTwo(exponent);
  // At temperature 0 what is below the maximum is nothing.
  if (isLimit) return 0;
  return exponential(exponent * ln2Leading + offset * factor + exponent * ln2Trailing);
}

/** The larger of two, by which neither sum is multiplied by much more than 1. */
export function commonMeasure(a: Measure, b: Measure): Measure {
  if (a.offset === b.offset) return a.exponent >= b.exponent ? a : b;
  return a.offset > b.offset ? a : b;
}

/** That of a block without a number: the smaller of any two. */
const emptyExponent = -(2 ** 30);

/** What a block is measured against whose largest signed logit is `top`. */
export const measureOf = (top: number, { offset, exponent }: Measure): Measure => ({
  offset,
  exponent: top === Number.NEGATIVE_INFINITY ? emptyExponent : exponent,
});

/** Whether nothing was summed, whatever was left out. */
export const isEmpty = ({ exponent }: Measure): boolean => exponent === emptyExponent;

export function merge(a: ScaledSum, b: ScaledSum, scaling: Scaling): ScaledSum {
  if (isEmpty(a)) return Number.isNaN(a.sum) ? { ...b, sum: a.sum } : b;
  if (isEmpty(b)) return Number.isNaN(b.sum) ? { ...a, sum: b.sum } : a;
  const { offset, exponent } = commonMeasure(a, b);
  const measure = { offset, exponent };
  const sum = a.sum * weightIn(measure, a, scaling) + b.sum * weightIn(measure, b, scaling);
  return { sum, offset, exponent };
}

/** A sum in the measure of its row. */
export const sumIn = (measure: Measure, total: ScaledSum, scaling: Scaling): number =>
  total.sum === 0 ? 0 : total.sum * weightIn(measure, total, scaling);
