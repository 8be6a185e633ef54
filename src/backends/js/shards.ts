// Rows of which some classes are here and others elsewhere, as in native/kernels/block_sums.h and finish_shard.h.

import { BlockField, blockFields, fieldsBeforeBlocks } from '../block-fields.js';
import type { ArrayRows, Elements, ScaledRows } from '../kernels.js';
import { lastIndexOf, RowBesideTop } from './beside-top.js';
import { exponentials, factorOf, singleExponential, type Values } from './exp.js';
import { finishLogSoftmax, finishLogSoftmaxDouble } from './forward.js';
import { logitReader, scalings } from './kernels.js';
import { nearSumOf } from './near-zero.js';
import { Reference } from './reference.js';
import { hasNan, RowSum, rowMaximum, scaleExponentials, sumOf } from './row-sum.js';
import { fill, isDouble, rangeOf, StagedRows } from './rows.js';
import type { Scaling } from './scaling.js';
import { rowArgMax } from './tokens/arg-max.js';
import { blockSize, blockSum } from './tree.js';

const { fround } = Math;
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: negativeInfinity } = Number;

/** Log-sum-exps of float32 that need sums beside the largest exponential are below this. */
const largestBesideTop = 2 ** -22 + 2 ** -23;

const floatScratch = new Float32Array(blockSize);
const doubleScratch = new Float64Array(blockSize);
const terms = new Float32Array(blockSize);
const reference = new Reference();

/** `target`: its number in the block, if it is there. */
function writeBlock(
  logits: Values,
  begin: number,
  count: number,
  scaling: Scaling,
  target: number,
  fields: Float64Array,
  to: number,
): void {
  const { isDouble, isLimit, factor, sign, largest: largestLogit } = scaling;
  const values = isDouble ? doubleScratch : floatScratch;
  const top = rowMaximum(logits, begin, count, scaling);
  reference.measure(top, scaling);
  exponentials(logits, begin, count, scaling, reference, values, 0);
  let sum = sumOf(values, 0, count, scaling);
  let [beside, wide, largest] = [nan, nan, 0];
  if (isDouble) {
    const last = top <= largestLogit ? lastIndexOf(logits, begin, count, top * sign) : -1;
    if (last >= 0) {
      largest = values[last] as number;
      values[last] = 0;
    }
    beside = blockSum(values, 0, count);
    wide = beside;
    if (last >= 0) values[last] = largest;
  } else if (!isLimit && !(top * factor >= largestBesideTop)) {
    // As besideTop, of rows whose maximum is as good as 0.
    reference.measure(0, scaling);
    const largest = singleExponential(top / sign, scaling, reference);
    exponentials(logits, begin, count, scaling, reference, terms, 0);
    wide = blockSum(terms, 0, count);
    for (let i = 0; i < count; i++) if (terms[i] === largest) terms[i] = 0;
    beside = blockSum(terms, 0, count);
  }
  let untargeted = sum;
  if (target >= 0 && target < count) {
    values[target] = 0;
    untargeted = sumOf(values, 0, count, scaling);
  }
  if (top === infinity && !hasNan(logits, begin, count)) sum = infinity;
  fields[to + BlockField.top] = top;
  fields[to + BlockField.sum] = sum;
  fields[to + BlockField.beside] = beside;
  fields[to + BlockField.wide] = wide;
  fields[to + BlockField.largest] = largest;
  fields[to + BlockField.untargeted] = untargeted;
  const near = nearSumOf(logits, begin, count, scaling);
  fields[to + BlockField.nearSum] = near === undefined ? nan : near.sum;
  fields[to + BlockField.nearLargest] = near === undefined ? nan : near.largest;
  fields[to + BlockField.nearTop] = near === undefined ? nan : near.top;
}

/**
 * The first of the largest signed logits. Of float32 rows with so small a factor that logits may be equal once they are
 * signed (scaling.ts) it is the first of those, so that it is the same of a row in any shards.
 */
function argMaxOf(logits: Values, begin: number, r: number, rows: ScaledRows, { sign }: Scaling): number {
  const found = rowArgMax(logits, begin, r, rows, sign);
  if (sign === 1 || sign === -1 || found < 0) return found;
  const top = fround((logits[begin + found] as number) * sign);
  if (!(top > negativeInfinity)) return found;
  for (let k = 0; k < found; k++) if (fround((logits[begin + k] as number) * sign) === top) return k;
  return found;
}

/** (x, targets, fields): a target beyond the row is none. */
export const blockSumsRows: ArrayRows = (arrays, [count], rows) => {
  const [x, targets, out] = arrays as readonly [Elements, Elements<'int32'> | undefined, Elements];
  const { length } = rows;
  const fields = out.data as Float64Array;
  const reader = logitReader(x, rows);
  const scaling = scalings(rows.multiplier, isDouble(x));
  const { begin, end } = rangeOf(rows);
  for (let r = begin; r < end; r++) {
    reader.read(r);
    const rowScaling = scaling(r);
    const target = targets === undefined ? -1 : (targets.data[r] as number);
    const first = r * count;
    fields[first] = argMaxOf(reader.values, reader.begin, r, rows, rowScaling);
    for (let from = 0, to = first + fieldsBeforeBlocks; from < length; from += blockSize, to += blockFields) {
      const size = Math.min(blockSize, length - from);
      writeBlock(reader.values, reader.begin + from, size, rowScaling, target - from, fields, to);
    }
  }
};

/** What becomes of a row: `known` has `count` numbers of it from `at` on. */
type Finish = (
  logits: Values,
  begin: number,
  length: number,
  scaling: Scaling,
  known: Float64Array,
  at: number,
  out: Values,
  outBegin: number,
) => void;

/** (x, known, out), with `count` numbers a row in `known`. */
function finishRows(finish: Finish, dropped: number): ArrayRows {
  return (arrays, [count], rows: ScaledRows) => {
    const [x, known, out] = arrays as readonly [Elements, Elements, Elements];
    const numbers = known.data as Float64Array;
    const reader = logitReader(x, rows);
    const writer = new StagedRows(out, rows, dropped);
    const scaling = scalings(rows.multiplier, isDouble(x));
    const { begin, end } = rangeOf(rows);
    const { length } = rows;
    for (let r = begin; r < end; r++) {
      reader.read(r);
      writer.start(r);
      const { values, begin: from } = reader;
      const { values: to, begin: toBegin } = writer;
      const at = r * count;
      const rowScaling = scaling(r);
      // A logit above the largest that is known is not of the row, and exp is of nothing that large.
      const isForeign = rowMaximum(values, from, length, rowScaling) > (numbers[at] as number);
      if (isForeign) fill(to, toBegin, length, nan);
      else finish(values, from, length, rowScaling, numbers, at, to, toBegin);
      writer.finish(r);
    }
  };
}

const row = new RowSum();
const besideTop = new RowBesideTop();

/** Of each row: its largest signed logit, a factor, whether one logit of it alone counts, whether the results are 0. */
export const scaledExponentialsNumbers = 4;
export const scaledExponentialsRows = finishRows(
  (logits, begin, length, scaling, known, at, out, outBegin) => {
    const factor = known[at + 1] as number;
    if (known[at + 3] === 1) return fill(out, outBegin, length, 0);
    if (Number.isNaN(factor)) return fill(out, outBegin, length, nan);
    row.reference.measure(known[at] as number, scaling);
    row.isKept = false;
    scaleExponentials(logits, begin, length, scaling, row, out, outBegin, factorOf(factor, scaling.isDouble));
    if (known[at + 2] === 1)
      for (let i = outBegin; i < outBegin + length; i++) if ((out[i] as number) > 0.5) out[i] = 1;
  },
  0,
);

/**
 * Of each row: its largest signed logit, the sum of its exponentials in the measure of that, of float64 without the
 * largest, which comes last.
 */
export const shardLogSoftmaxNumbers = 3;
export const shardLogSoftmaxRows = finishRows((logits, begin, length, scaling, known, at, out, outBegin) => {
  const common = scaling.isDouble ? besideTop : row;
  common.top = known[at] as number;
  common.reference.measure(common.top, scaling);
  if (scaling.isDouble) {
    besideTop.others = known[at + 1] as number;
    besideTop.topExponential = known[at + 2] as number;
    finishLogSoftmaxDouble(besideTop, logits, begin, length, scaling, out, outBegin);
  } else {
    row.sum = known[at + 1] as number;
    finishLogSoftmax(row, logits, begin, length, scaling, out, outBegin);
  }
}, negativeInfinity);
