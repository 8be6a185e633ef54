// Sums of exponentials beside the largest, as in native/kernels/beside_top.h.

import { exponentials, singleExponential, type Values } from './exp.js';
import { logOnePlusRatio, logScaled } from './log.js';
import { nearZeroResult } from './near-zero.js';
import { Reference } from './reference.js';
import { type RowSum, rowMaximum } from './row-sum.js';
import { commonMeasure, isEmpty, type Measure, measureOf, weightIn } from './scaled-sums.js';
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

/** Whether a log-sum-exp is near 0, and its sum has a largest exponential, `top`, that outweighs the others. */
export const isBesideTop = (value: number, sum: number, top: number, { isDouble }: Scaling): boolean =>
  Math.abs(value) <= (isDouble ? nearZeroResult : 2 ** -24) && sum < top + top;

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
  // Before the exponential: most values are not near 0.
  if (!(Math.abs(value) <= nearZeroResult)) return value;
  const top = singleExponential(row.top / scaling.sign, scaling, row.reference);
  // Others that are as large as the top are no others: its exponential is there once.
  if (!isBesideTop(value, sum, top, scaling)) return value;
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

/** As ScaledSum, of others + top. Nothing summed: both are 0. */
interface SumWithTop extends Measure {
  readonly others: number;
  readonly top: number;
}

/** Of two, the smaller top is one of the others. */
function mergeWithTops(a: SumWithTop, b: SumWithTop, scaling: Scaling): SumWithTop {
  if (isEmpty(a)) return Number.isNaN(a.others) ? { ...b, others: a.others } : b;
  if (isEmpty(b)) return Number.isNaN(b.others) ? { ...a, others: b.others } : a;
  const { offset, exponent } = commonMeasure(a, b);
  const measure = { offset, exponent };
  const [ofA, ofB] = [weightIn(measure, a, scaling), weightIn(measure, b, scaling)];
  const [topA, topB] = [a.top * ofA, b.top * ofB];
  const others = a.others * ofA + b.others * ofB + Math.min(topA, topB);
  return { others, top: Math.max(topA, topB), offset, exponent };
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
export function lastIndexOf(values: Values, begin: number, count: number, value: number): number {
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

/** Each block's largest exponential is left out until the blocks are merged. */
function sumBlocks(logits: Values, begin: number, length: number, scaling: Scaling): void {
  const tree = new BlockTree<SumWithTop>((a, b) => mergeWithTops(a, b, scaling));
  let top = Number.NEGATIVE_INFINITY;
  for (let from = begin; from < begin + length; from += blockSize) {
    const count = Math.min(blockSize, begin + length - from);
    const blockTop = rowMaximum(logits, from, count, scaling);
    if (blockTop > top) top = blockTop;
    block.measure(blockTop, scaling);
    sumBlock(logits, from, count, scaling, blockTop, block);
    tree.push({ others: row.others, top: row.topExponential, ...measureOf(blockTop, block) });
  }
  const total = tree.total();
  row.top = top;
  row.others = total.others;
  row.topExponential = total.top;
}

/** Of float64 logits. */
export function rowBesideTop(logits: Values, begin: number, length: number, scaling: Scaling): RowBesideTop {
  const isLong = length > blockSize;
  if (isLong) sumBlocks(logits, begin, length, scaling);
  else row.top = rowMaximum(logits, begin, length, scaling);
  const { reference, top } = row;
  reference.measure(top, scaling);
  if (!isLong) sumBlock(logits, begin, length, scaling, top, reference);
  return row;
}
