// What is known of whole rows, as the kernels of one process know it after their first half.

import { BlockField } from '../../backends/block-fields.js';
import { isBesideTop } from '../../backends/js/beside-top.js';
import { singleExponential } from '../../backends/js/exp.js';
import { logNormalizer, logSumExpOf } from '../../backends/js/forward.js';
import { logOnePlusRatio } from '../../backends/js/log.js';
import { nearLogSumExp, nearZeroResult } from '../../backends/js/near-zero.js';
import { powerOfTwo } from '../../backends/js/reference.js';
import { RowSum } from '../../backends/js/row-sum.js';
import type { Scaling } from '../../backends/js/scaling.js';
import { totalOf } from './nodes.js';
import type { State } from './state.js';

/** One object serves all rows. */
const sums = new RowSum();

/** Sets the row's measure; its sum is of one of the fields. */
export function rowSumOf(fields: Float64Array, field: number, scaling: Scaling): RowSum {
  const sum = fields[BlockField.sum] as number;
  sums.top = fields[BlockField.top] as number;
  sums.reference.measure(sums.top, scaling);
  sums.hasNan = Number.isNaN(sum);
  sums.sum = sum === Number.POSITIVE_INFINITY ? Number.NaN : (fields[field] as number);
  return sums;
}

/** Of a row in the measure of its maximum: `total` of its exponentials, `normalizer` of logNormalizer. */
export function logSumExpOfRow(
  row: RowSum,
  total: number,
  normalizer: number,
  fields: Float64Array,
  scaling: Scaling,
): number {
  const near = nearLogSumExp({
    sum: fields[BlockField.nearSum] as number,
    largest: fields[BlockField.nearLargest] as number,
    top: fields[BlockField.nearTop] as number,
  });
  if (!Number.isNaN(near)) return near;
  const value = logSumExpOf(row, total, normalizer, scaling);
  if (!(Math.abs(value) <= nearZeroResult)) return value;
  const top = singleExponential(row.top / scaling.sign, scaling, row.reference);
  if (!isBesideTop(value, total, top, scaling)) return value;
  // Of float32 it is measured against N = 0.
  const others =
    (fields[BlockField.beside] as number) * (scaling.isDouble ? 1 : powerOfTwo(-row.reference.exponent));
  return row.top * scaling.factor + logOnePlusRatio(others / top);
}

/** The log-sum-exp of a row of a whole state. */
export function logSumExpOfState(state: State, row: number, scaling: Scaling): number {
  const fields = totalOf(state, row, scaling);
  const sums = rowSumOf(fields, BlockField.sum, scaling);
  const normalizer = sums.sum > 0 ? logNormalizer(sums, sums.sum, scaling) : Number.NaN;
  return logSumExpOfRow(sums, sums.sum, normalizer, fields, scaling);
}
