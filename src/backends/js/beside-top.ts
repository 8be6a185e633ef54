// Sums of exponentials beside the largest, as in native/kernels/beside_top.h.

import { exponentials, singleExponential, type Values } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { nearZeroResult } from './near-zero.js';
import { isHuge, powerOfTwo, Reference } from './reference.js';
import { type RowSum, rowMaximum } from './row-sum.js';
import type { Scaling } from './scaling.js';
import { BlockTree, blockSize, blockSum, termSum } from './tree.js';

/** log(1 + others / top): of a sum relative to its largest term. */
export function logRelativeToTop(top: number, others: number): number {
  const q = others / top;
  return q <= 1 ? logOnePlusRatio(q) : logScaled(1 + q, 0);
}

const floatScratch = new Float32Array(blockSize);
const doubleScratch = new Float64Array(blockSize);

/** The exponentials of a row that were kept, in its own measure: values[begin], values[begin + 1], … */
export interface KeptExponentials {
  readonly values: Values;
  readonly begin: number;
}

/**
 * A log-sum-exp: `value`, or where that is near 0 and the largest exponential outweighs the others, the one from a sum of
 * the others alone. `sum` is of the whole row. A float32 has fewer digits to lose.
 */
export function besideTop(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  row: RowSum,
  sum: number,
  value: number,
  kept: KeptExponentials | undefined,
): number {
  if (!(Math.abs(value) <= (scaling.isDouble ? nearZeroResult : 2 ** -24))) return value;
  const top = singleExponential(row.top / scaling.sign, scaling, row.reference);
  // Others that are as large as the top are no others: its exponential is there once.
  if (sum >= top + top) return value;
  const scratch = scaling.isDouble ? doubleScratch : floatScratch;
  const others = termSum(length, (terms, from, count) => {
    const values = kept ? kept.values : scratch;
    const first = kept ? kept.begin + from : 0;
    if (!kept) exponentials(logits, begin + from, count, scaling, row.reference, scratch, 0);
    for (let i = 0; i < count; i++) {
      const e = values[first + i] as number;
      terms[i] = e === top ? 0 : e;
    }
  });
  return row.top * scaling.factor + logOnePlusRatio(others / top);
}

/** (others + top) · 2^exponent. Nothing summed: both are 0. */
interface SumWithTop {
  readonly others: number;
  readonly top: number;
  readonly exponent: number;
}

/** Of two, the smaller top is one of the others. */
function mergeWithTops(a: SumWithTop, b: SumWithTop): SumWithTop {
  if (a.others + a.top === 0) return b;
  if (b.others + b.top === 0) return a;
  const exponent = Math.max(a.exponent, b.exponent);
  const [powerA, powerB] = [powerOfTwo(a.exponent - exponent), powerOfTwo(b.exponent - exponent)];
  const [topA, topB] = [a.top * powerA, b.top * powerB];
  const others = a.others * powerA + b.others * powerB + Math.min(topA, topB);
  return { others, top: Math.max(topA, topB), exponent };
}

/** What is known of a row. One object serves all rows, as with Reference. */
export class RowBesideTop {
  /** The largest signed logit. */
  top = Number.NaN;
  readonly reference = new Reference();
  others = Number.NaN;
  topExponential = Number.NaN;
}

const row = new RowBesideTop();
const block = new Reference();

/** −1 where it is not there. Four at a time, as in rowMaximum. The method of that name may be a caller's. */
function lastIndexOf(values: Values, begin: number, count: number, value: number): number {
  let i = begin + count - 1;
  for (; i >= begin + 3; i -= 4) {
    const isHere = values[i] === value || values[i - 1] === value;
    if (isHere || values[i - 2] === value || values[i - 3] === value) break;
  }
  while (i >= begin && values[i] !== value) i--;
  return i < begin ? -1 : i - begin;
}

/** Sets the sums of a block: the last of the largest logits, `top`, is left out unless it is Infinity. */
function sumBlock(
  logits: Values,
  begin: number,
  count: number,
  scaling: Scaling,
  top: number,
  reference: Reference,
): void {
  exponentials(logits, begin, count, scaling, reference, doubleScratch, 0);
  row.topExponential = 0;
  if (top <= scaling.largest) {
    const last = lastIndexOf(logits, begin, count, top * scaling.sign);
    if (last >= 0) {
      row.topExponential = doubleScratch[last] as number;
      doubleScratch[last] = 0;
    }
  }
  row.others = blockSum(doubleScratch, 0, count);
}

/** Each block's largest exponential is left out until the blocks are merged. `shared`: the measure of all of them. */
function sumBlocks(
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  shared: Reference | undefined,
): void {
  const tree = new BlockTree<SumWithTop>(mergeWithTops);
  let top = Number.NEGATIVE_INFINITY;
  for (let from = begin; from < begin + length; from += blockSize) {
    const count = Math.min(blockSize, begin + length - from);
    const blockTop = rowMaximum(logits, from, count, scaling);
    if (blockTop > top) top = blockTop;
    if (!shared) block.measureBlock(blockTop, scaling);
    const reference = shared ?? block;
    sumBlock(logits, from, count, scaling, blockTop, reference);
    tree.push({ others: row.others, top: row.topExponential, exponent: reference.exponent });
  }
  const total = tree.total();
  row.top = top;
  row.others = total.others;
  row.topExponential = total.top;
}

/** Of float64 logits. */
export function rowBesideTop(logits: Values, begin: number, length: number, scaling: Scaling): RowBesideTop {
  const isLong = length > blockSize;
  if (isLong) sumBlocks(logits, begin, length, scaling, undefined);
  else row.top = rowMaximum(logits, begin, length, scaling);
  const { reference, top } = row;
  const huge = isHuge(top, scaling);
  reference.measure(top, scaling, huge);
  if (!isLong) sumBlock(logits, begin, length, scaling, top, reference);
  else if (huge) sumBlocks(logits, begin, length, scaling, reference);
  return row;
}
