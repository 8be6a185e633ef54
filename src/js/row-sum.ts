// The sum of a row's exponentials, as in native/kernels/row_sum.h.

import { plainExponential, scaledExponential } from './exp.js';
import {
  isHuge,
  isPlain,
  lowestBlockReference,
  nothingCounts,
  type Reference,
  referenceOf,
  type ScaledSum,
} from './reference.js';
import type { Scaling } from './scaling.js';
import { blockSize, floatBlockSum, scaledSumTree } from './tree.js';

/** No element is left out of a sum. */
export const noIndex = -1;

const scratch = new Float32Array(blockSize);

function rowMaximum(logits: Float32Array, begin: number, end: number, sign: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < end; i++) {
    const logit = (logits[i] as number) * sign;
    if (logit > top) top = logit;
  }
  return top;
}

export function hasNan(values: Float32Array, begin: number, end: number): boolean {
  for (let i = begin; i < end; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** The exponentials of logits[begin, end) into out[outBegin, …), times `factor`. */
function exponentials(
  logits: Float32Array,
  begin: number,
  end: number,
  scaling: Scaling,
  reference: Reference,
  out: Float32Array,
  outBegin: number,
  factor: number,
): void {
  const shift = outBegin - begin;
  if (isPlain(scaling, reference)) {
    for (let i = begin; i < end; i++)
      out[i + shift] = plainExponential(logits[i] as number, reference) * factor;
  } else {
    for (let i = begin; i < end; i++)
      out[i + shift] = scaledExponential(logits[i] as number, scaling, reference) * factor;
  }
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
  logits: Float32Array,
  begin: number,
  length: number,
  scaling: Scaling,
  skipped: number,
): RowSum {
  const end = begin + length;
  const blockOf = (from: number, reference: Reference): ScaledSum => {
    const to = Math.min(end, from + blockSize);
    exponentials(logits, from, to, scaling, reference, scratch, 0, 1);
    const skippedHere = skipped >= from && skipped < to ? skipped - from : noIndex;
    return { sum: floatBlockSum(scratch, 0, to - from, skippedHere), exponent: reference.exponent };
  };
  let top = Number.NEGATIVE_INFINITY;
  const own = scaledSumTree();
  for (let from = begin; from < end; from += blockSize) {
    const blockTop = rowMaximum(logits, from, Math.min(end, from + blockSize), scaling.sign);
    if (blockTop > top) top = blockTop;
    const isLow = blockTop * scaling.high < lowestBlockReference;
    own.push(blockOf(from, isLow ? nothingCounts : referenceOf(blockTop, scaling, false)));
  }
  const huge = isHuge(top, scaling);
  const reference = referenceOf(top, scaling, huge);
  const isInfinite = top === Number.POSITIVE_INFINITY;
  if (!huge) return { top, reference, total: own.total(), hasNan: isInfinite && hasNan(logits, begin, end) };
  const shared = scaledSumTree();
  for (let from = begin; from < end; from += blockSize) shared.push(blockOf(from, reference));
  return { top, reference, total: shared.total(), hasNan: false };
}

/**
 * The exponentials are kept in `kept` (which may be the logits) at the logits' place if the row is a single block.
 * `skipped`: the index in `logits` of an element left out, or noIndex.
 */
export function rowSum(
  logits: Float32Array,
  begin: number,
  length: number,
  scaling: Scaling,
  skipped: number,
  kept: Float32Array | undefined,
): RowSum {
  if (length > blockSize) return longRowSum(logits, begin, length, scaling, skipped);
  const end = begin + length;
  const top = rowMaximum(logits, begin, end, scaling.sign);
  const reference = referenceOf(top, scaling, isHuge(top, scaling));
  const isNan = top === Number.POSITIVE_INFINITY && hasNan(logits, begin, end);
  const values = kept ?? scratch;
  const valuesBegin = kept ? begin : 0;
  exponentials(logits, begin, end, scaling, reference, values, valuesBegin, 1);
  const skippedHere = skipped === noIndex ? noIndex : skipped - begin + valuesBegin;
  const sum = floatBlockSum(values, valuesBegin, length, skippedHere);
  return { top, reference, total: { sum, exponent: reference.exponent }, hasNan: isNan };
}

/** out = factor · exponential, from those that rowSum kept in `out`, or from the logits of a long row. */
export function scaleExponentials(
  logits: Float32Array,
  out: Float32Array,
  begin: number,
  length: number,
  scaling: Scaling,
  reference: Reference,
  factor: number,
): void {
  const end = begin + length;
  if (length > blockSize) {
    exponentials(logits, begin, end, scaling, reference, out, begin, factor);
  } else {
    for (let i = begin; i < end; i++) out[i] = (out[i] as number) * factor;
  }
}
