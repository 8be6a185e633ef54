// The sum of a row's exponentials, as in native/kernels/row_sum.h.

import { isSameMemory } from '../../typed-arrays.js';
import { exponentials, type Factor, type Values } from './exp.js';
import { powerOfTwo, Reference } from './reference.js';
import { measureOf, type ScaledSum, sumIn } from './scaled-sums.js';
import { canonical, type Scaling } from './scaling.js';
import { blockSize, blockSum, exponentialBlockSum, noIndex, scaledSumTree } from './tree.js';

const { fround } = Math;

const floatScratch = new Float32Array(blockSize);
const doubleScratch = new Float64Array(blockSize);

/**
 * The largest signed logit. Four at a time, like other short loops: some of the engine's checks are then made once for
 * the four (0.5 ns an element in place of 0.75, Zen 5).
 */
export function rowMaximum(logits: Values, begin: number, length: number, scaling: Scaling): number {
  const { sign, isDouble } = scaling;
  const end = begin + length;
  let top = Number.NEGATIVE_INFINITY;
  let i = begin;
  for (; i < end - 3; i += 4) {
    const a = (logits[i] as number) * sign;
    const b = (logits[i + 1] as number) * sign;
    const c = (logits[i + 2] as number) * sign;
    const d = (logits[i + 3] as number) * sign;
    if (a > top) top = a;
    if (b > top) top = b;
    if (c > top) top = c;
    if (d > top) top = d;
  }
  for (; i < end; i++) {
    const logit = (logits[i] as number) * sign;
    if (logit > top) top = logit;
  }
  return isDouble ? top : fround(top);
}

export function hasNan(values: Values, begin: number, length: number): boolean {
  for (let i = begin; i < begin + length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** What is known of a row after the first half. One object serves all rows, as with Reference. */
export class RowSum {
  /** The largest signed logit. */
  top = Number.NaN;
  readonly reference = new Reference();
  /**
   * Of 2 exp(multiplier · logit), float32 times c, in the measure of the reference; NaN if the row has a NaN or +Infinity,
   * 0 if all are −Infinity.
   */
  sum = Number.NaN;
  /** Known only where the maximum is +Infinity, to tell the two apart. */
  hasNan = false;
  /** The exponentials are kept. */
  isKept = false;
  /** The measures that a long row's blocks were kept in; empty: all in the row's. */
  keptExponents: number[] = [];
}

const row = new RowSum();
const block = new Reference();

/** Of a block's exponentials. */
export const sumOf = (values: Values, begin: number, count: number, { isDouble }: Scaling): number =>
  isDouble ? blockSum(values, begin, count) : exponentialBlockSum(values, begin, count);

function longRowSum(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  skipped: number,
  kept: Values | undefined,
  keptBegin: number,
): void {
  const scratch = scaling.isDouble ? doubleScratch : floatScratch;
  const sumOfBlock = (from: number, count: number, top: number): ScaledSum => {
    const values = kept ?? scratch;
    const valuesBegin = kept ? keptBegin + from - begin : 0;
    exponentials(logits, from, count, scaling, block, values, valuesBegin);
    if (skipped >= from && skipped < from + count) values[valuesBegin + skipped - from] = 0;
    return { sum: sumOf(values, valuesBegin, count, scaling), ...measureOf(top, block) };
  };
  const end = begin + length;
  row.keptExponents = [];
  row.top = Number.NEGATIVE_INFINITY;
  const tree = scaledSumTree(scaling);
  let isShifted = false;
  for (let from = begin; from < end; from += blockSize) {
    const count = Math.min(blockSize, end - from);
    const blockTop = rowMaximum(logits, from, count, scaling);
    if (blockTop > row.top) row.top = blockTop;
    block.measure(blockTop, scaling);
    row.keptExponents.push(block.exponent);
    isShifted ||= block.offset !== 0;
    tree.push(sumOfBlock(from, count, blockTop));
  }
  row.reference.measure(row.top, scaling);
  // Exponentials of a block with a huge maximum are in no measure that a power of two makes the row's.
  row.isKept = kept !== undefined && !isShifted && !scaling.isLimit;
  if (!row.isKept) row.keptExponents = [];
  row.sum = sumIn(row.reference, tree.total(), scaling);
  row.hasNan = row.top === Number.POSITIVE_INFINITY && hasNan(logits, begin, length);
}

/**
 * The exponentials are kept in `kept` from keptBegin on; that may be the logits' memory, but then those of a long row
 * are not kept. `skipped`: the index in `logits` of an element left out, or noIndex. The result is valid until the
 * next call.
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
  if (length > blockSize) {
    const isApart = kept !== undefined && !isSameMemory(kept, logits);
    longRowSum(logits, begin, length, scaling, skipped, isApart ? kept : undefined, keptBegin);
    return row;
  }
  const top = rowMaximum(logits, begin, length, scaling);
  const { reference } = row;
  reference.measure(top, scaling);
  // Before the exponentials, which may be kept over the logits.
  row.hasNan = top === Number.POSITIVE_INFINITY && hasNan(logits, begin, length);
  const values = kept ?? (scaling.isDouble ? doubleScratch : floatScratch);
  const valuesBegin = kept ? keptBegin : 0;
  exponentials(logits, begin, length, scaling, reference, values, valuesBegin);
  if (skipped !== noIndex) values[skipped - begin + valuesBegin] = 0;
  row.top = top;
  row.sum = sumOf(values, valuesBegin, length, scaling);
  row.isKept = kept !== undefined;
  if (row.keptExponents.length > 0) row.keptExponents = [];
  return row;
}

/** From each block's own measure to the row's, exactly. The row's cut is the higher one. */
function remeasure(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  { reference, keptExponents }: RowSum,
  values: Values,
  valuesBegin: number,
): void {
  const { cut, exponent } = reference;
  const { sign, isDouble } = scaling;
  for (let from = 0; from < length; from += blockSize) {
    const power = powerOfTwo((keptExponents[from / blockSize] as number) - exponent);
    const end = Math.min(length, from + blockSize);
    for (let i = from; i < end; i++) {
      const logit = (logits[begin + i] as number) * sign;
      const isBelow = (isDouble ? logit : fround(logit)) < cut;
      values[valuesBegin + i] = isBelow ? 0 : (values[valuesBegin + i] as number) * power;
    }
  }
}

/** values[begin, end) times a factor, four at a time (0.6 ns an element in place of 0.95, Zen 5). */
function multiply(v: Values, begin: number, end: number, { high, low }: Factor, isDouble: boolean): void {
  let i = begin;
  for (; !isDouble && i < end - 3; i += 4) {
    const a = v[i] as number;
    const b = v[i + 1] as number;
    const c = v[i + 2] as number;
    const d = v[i + 3] as number;
    v[i] = a * high + fround(a * low);
    v[i + 1] = b * high + fround(b * low);
    v[i + 2] = c * high + fround(c * low);
    v[i + 3] = d * high + fround(d * low);
  }
  for (; i < end; i++) {
    const e = v[i] as number;
    v[i] = isDouble ? e * high : e * high + fround(e * low);
  }
}

/** out = factor · exponential, from those that rowSum kept in `out`, or from the logits. */
export function scaleExponentials(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  kept: RowSum,
  out: Values,
  outBegin: number,
  factor: Factor,
): void {
  if (!kept.isKept) {
    exponentials(logits, begin, length, scaling, kept.reference, out, outBegin);
  } else if (kept.keptExponents.length > 0) {
    remeasure(logits, begin, length, scaling, kept, out, outBegin);
  }
  const end = outBegin + length;
  multiply(out, outBegin, end, factor, scaling.isDouble);
  if (!Number.isFinite(factor.high))
    for (let i = outBegin; i < end; i++) out[i] = canonical(out[i] as number);
}
