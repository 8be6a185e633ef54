// The sum of a row's exponentials, as in native/kernels/row_sum.h.

import { exponentials, type Factor, one, type Values } from './exp.js';
import { blockReferenceOf, isHuge, type Reference, referenceOf, type ScaledSum } from './reference.js';
import { canonical, type Scaling } from './scaling.js';
import { blockSize, blockSum, noIndex, scaledSumTree } from './tree.js';

const { fround } = Math;

const floatScratch = new Float32Array(blockSize);
const doubleScratch = new Float64Array(blockSize);

/** The largest signed logit. */
export function rowMaximum(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const { sign, isDouble } = scaling;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < begin + length; i++) {
    const logit = (logits[i] as number) * sign;
    if (logit > top) top = logit;
  }
  return isDouble ? top : fround(top);
}

export function hasNan(values: Values, begin: number, length: number): boolean {
  for (let i = begin; i < begin + length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

export interface RowSum {
  /** The largest signed logit. */
  readonly top: number;
  readonly reference: Reference;
  /** Of 2 exp(multiplier · logit); NaN if the row has a NaN or +Infinity, 0 if all are −Infinity. */
  readonly total: ScaledSum;
  /** Known only where the maximum is +Infinity, to tell the two apart. */
  readonly hasNan: boolean;
}

function longRowSum(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  skipped: number,
): RowSum {
  const scratch = scaling.isDouble ? doubleScratch : floatScratch;
  const end = begin + length;
  const blockOf = (from: number, count: number, reference: Reference): ScaledSum => {
    exponentials(logits, from, count, scaling, reference, scratch, 0, one);
    const skippedHere = skipped >= from && skipped < from + count ? skipped - from : noIndex;
    return { sum: blockSum(scratch, 0, count, skippedHere), exponent: reference.exponent };
  };
  let top = Number.NEGATIVE_INFINITY;
  const own = scaledSumTree();
  for (let from = begin; from < end; from += blockSize) {
    const count = Math.min(blockSize, end - from);
    const blockTop = rowMaximum(logits, from, count, scaling);
    if (blockTop > top) top = blockTop;
    own.push(blockOf(from, count, blockReferenceOf(blockTop, scaling)));
  }
  const huge = isHuge(top, scaling);
  const reference = referenceOf(top, scaling, huge);
  const isInfinite = top === Number.POSITIVE_INFINITY;
  if (!huge)
    return { top, reference, total: own.total(), hasNan: isInfinite && hasNan(logits, begin, length) };
  const shared = scaledSumTree();
  for (let from = begin; from < end; from += blockSize)
    shared.push(blockOf(from, Math.min(blockSize, end - from), reference));
  return { top, reference, total: shared.total(), hasNan: isInfinite && hasNan(logits, begin, length) };
}

/**
 * The exponentials are kept in `kept` (which may be the logits), from keptBegin on, if the row is a single block.
 * `skipped`: the index in `logits` of an element left out, or noIndex.
 */
export function rowSum(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  skipped: number,
  kept: Values | undefined,
  keptBegin: number,
): RowSum {
  if (length > blockSize) return longRowSum(logits, begin, length, scaling, skipped);
  const top = rowMaximum(logits, begin, length, scaling);
  const reference = referenceOf(top, scaling, isHuge(top, scaling));
  const isNan = top === Number.POSITIVE_INFINITY && hasNan(logits, begin, length);
  const values = kept ?? (scaling.isDouble ? doubleScratch : floatScratch);
  const valuesBegin = kept ? keptBegin : 0;
  exponentials(logits, begin, length, scaling, reference, values, valuesBegin, one);
  const skippedHere = skipped === noIndex ? noIndex : skipped - begin + valuesBegin;
  const sum = blockSum(values, valuesBegin, length, skippedHere);
  return { top, reference, total: { sum, exponent: reference.exponent }, hasNan: isNan };
}

function multiply(
  values: Values,
  begin: number,
  length: number,
  { high, low }: Factor,
  isDouble: boolean,
): void {
  for (let i = begin; i < begin + length; i++) {
    const e = values[i] as number;
    values[i] = isDouble ? e * high : e * high + fround(e * low);
  }
}

/** out = factor · exponential, from those that rowSum kept in `out`, or from the logits of a long row. */
export function scaleExponentials(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  reference: Reference,
  out: Values,
  outBegin: number,
  factor: Factor,
): void {
  if (length > blockSize) {
    exponentials(logits, begin, length, scaling, reference, out, outBegin, factor);
  } else {
    multiply(out, outBegin, length, factor, scaling.isDouble);
  }
  if (!Number.isFinite(factor.high))
    for (let i = outBegin; i < outBegin + length; i++) out[i] = canonical(out[i] as number);
}
