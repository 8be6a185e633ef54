// Runs every contestant over every batch, and keeps the worst and the mean error in ULP.

import type { DoubleDouble } from '../../test/helpers/double-double.js';
import { ExactRow, formats, ulpError, ulpOf } from '../../test/helpers/exact-row.js';
import type { Batch, Contestant, DTypeName, Operation } from './contestants.js';
import { batches } from './rows.js';

export const operations: Readonly<Record<DTypeName, readonly Operation[]>> = {
  float32: ['softmax', 'logSoftmax', 'logSumExp', 'loss', 'gradient'],
  float64: ['softmax', 'logSoftmax', 'logSumExp', 'loss', 'gradient'],
  // Log-sum-exps and losses of 16-bit logits are float32 here and 16 bits elsewhere.
  float16: ['softmax', 'logSoftmax', 'gradient'],
  bfloat16: ['softmax', 'logSoftmax', 'gradient'],
};

export interface Statistic {
  worst: number;
  sum: number;
  count: number;
  /** The rows that the worst was found in. */
  where: string;
}

/** By what was measured, then by contestant. Keys: `float32 softmax`, `float32 softmax, 11–100 classes`, … */
export type Statistics = Record<string, Record<string, Statistic>>;

function lengthGroup(length: number): string {
  if (length <= 10) return '1–10';
  const decade = 10 ** (Math.ceil(Math.log10(length)) - 1);
  return `${(decade + 1).toLocaleString('en')}–${(decade * 10).toLocaleString('en')}`;
}

/** What is reported of a batch. softmax in float32, the main promise, is broken down. */
function keysOf(operation: Operation, { dtype, kind, scale, length }: Batch): string[] {
  const key = `${dtype} ${operation}`;
  if (key !== 'float32 softmax') return [key];
  return [key, `${key}, ${lengthGroup(length)} classes`, `${key}, scale ${scale}`, `${key}, ${kind}`];
}

/**
 * The errors of one row's results. Nothing is compared where an exponential may be 0 by the contract, nor a loss and
 * its target's gradient so small that such a 0 shows in them.
 */
function compareRow(
  operation: Operation,
  row: ExactRow,
  batch: Batch,
  r: number,
  results: ArrayLike<number>,
  visit: (error: number) => void,
): void {
  const { dtype, length } = batch;
  const format = formats[dtype];
  const target = batch.targets[r] as number;
  const isComparable = (exact: DoubleDouble) =>
    exact.high === 0 || Math.abs(exact.high) > 2 ** (format.lowestExponent + format.precision + 2) * length;
  const at = (index: number) => results[index] as number;
  // Log-probabilities and log-sum-exps: 4 ULP, or 1 ULP of the largest logit.
  const unit = ulpOf(row.largestMagnitude(), format) / 4;

  if (operation === 'logSumExp') visit(ulpError(at(r), row.logSumExp(), format, unit));
  else if (operation === 'loss') {
    const exact = row.loss(target);
    // There is no wider type that float64 losses could be computed in.
    if (isComparable(exact)) visit(ulpError(at(r), exact, format, dtype === 'float64' ? unit : 0));
  } else
    for (let i = 0; i < length; i++) {
      const actual = at(r * length + i);
      if (operation === 'logSoftmax') visit(ulpError(actual, row.logSoftmax(i), format, unit));
      else if (row.isNormal(i)) {
        const exact = operation === 'softmax' ? row.softmax(i) : row.gradient(i, target);
        if (operation === 'softmax' || i !== target || isComparable(exact))
          visit(ulpError(actual, exact, format));
      }
    }
}

export async function measure(
  contestants: readonly Contestant[],
  dtypes: readonly DTypeName[],
  progress: (text: string) => void,
): Promise<Statistics> {
  const statistics: Statistics = {};
  for (const [seed, dtype] of dtypes.entries()) {
    const exactFormat = dtype === 'float64' ? formats.float64 : formats.float32;
    for (const batch of batches(dtype, seed + 1)) {
      const where = `${batch.kind}, ${batch.length} classes, scale ${batch.scale}`;
      progress(`${dtype}: ${where}`);
      const rows = Array.from({ length: batch.rows }, (_, r) => {
        return new ExactRow(batch.values.subarray(r * batch.length, (r + 1) * batch.length), exactFormat);
      });
      for (const operation of operations[dtype])
        for (const contestant of contestants) {
          const results = await contestant.measure(operation, batch);
          if (!results) continue;
          const total = { worst: 0, sum: 0, count: 0 };
          rows.forEach((row, r) => {
            compareRow(operation, row, batch, r, results, (error) => {
              total.worst = Math.max(total.worst, error);
              total.sum += error;
              total.count++;
            });
          });
          for (const key of keysOf(operation, batch)) {
            const byName = statistics[key] ?? {};
            statistics[key] = byName;
            const statistic = byName[contestant.name] ?? { worst: 0, sum: 0, count: 0, where: '' };
            byName[contestant.name] = statistic;
            statistic.sum += total.sum;
            statistic.count += total.count;
            if (total.worst <= statistic.worst) continue;
            statistic.worst = total.worst;
            statistic.where = where;
          }
        }
    }
  }
  return statistics;
}
