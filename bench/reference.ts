// How far a result is from one in float64. A check that contestants compute the same thing, not of their accuracy:
// docs/numerics.md has that.

import type { DType } from './cases.js';
import {
  type Numbers,
  plainCrossEntropy,
  plainLogSoftmax,
  plainSoftmax,
  plainSoftmaxBackward,
  type Rows,
} from './plain.js';
import type { Problem } from './problem.js';

/** The largest error that is taken for rounding. */
export const tolerances: Readonly<Record<DType, number>> = {
  float32: 1e-4,
  float64: 1e-11,
  float16: 5e-3,
  bfloat16: 0.1,
};

const checkedElements = 300_000;

/** Some rows of the problem, one behind the other. */
function gather(values: Numbers, { classes, step, rowStep }: Rows, rows: readonly number[]): Float64Array {
  const gathered = new Float64Array(rows.length * classes);
  rows.forEach((row, r) => {
    for (let c = 0; c < classes; c++) gathered[r * classes + c] = values[row * rowStep + c * step] as number;
  });
  return gathered;
}

function exactRows(
  { operation, where, input, output, target }: Problem,
  rows: readonly number[],
): Float64Array {
  const { classes } = where;
  const values = gather(input.values, where, rows);
  const exact = new Float64Array(values.length);
  const contiguous = { rows: rows.length, classes, step: 1, rowStep: classes };
  if (operation === 'softmax') plainSoftmax(values, exact, contiguous);
  if (operation === 'logSoftmax') plainLogSoftmax(values, exact, contiguous);
  if (output) plainSoftmaxBackward(values, gather(output.values, where, rows), exact, contiguous);
  if (operation === 'crossEntropy') {
    const targets = Int32Array.from(rows, (row) => target[row] as number);
    plainCrossEntropy(values, targets, exact, contiguous);
    for (let i = 0; i < exact.length; i++) exact[i] = ((exact[i] as number) * rows.length) / where.rows;
  }
  return exact;
}

/** Of each row: what its errors are small beside. The backward pass takes a difference of numbers like g p. */
function scalesOf({ where, input, output }: Problem, rows: readonly number[], exact: Float64Array): number[] {
  const { classes } = where;
  const terms = output ? gather(input.values, where, rows) : exact;
  const factors = output && gather(output.values, where, rows);
  return rows.map((_, r) => {
    let largest = 0;
    for (let i = r * classes; i < (r + 1) * classes; i++)
      largest = Math.max(largest, Math.abs((terms[i] as number) * (factors?.[i] ?? 1)));
    return largest;
  });
}

/**
 * The worst error over rows from the first to the last, relative to the exact value, or to a tenth of the row's
 * largest, whichever is larger. Half of float16's smallest step is no error.
 */
export function worstError(problem: Problem, result: Numbers): number {
  const { rows, classes } = problem.where;
  const count = Math.max(1, Math.min(rows, Math.floor(checkedElements / classes)));
  const checked = Array.from({ length: count }, (_, i) =>
    Math.floor((i * (rows - 1)) / Math.max(1, count - 1)),
  );
  const exact = exactRows(problem, checked);
  const actual = gather(result, problem.where, checked);
  const scales = scalesOf(problem, checked, exact);
  const grain = problem.dtype === 'float16' ? 2 ** -25 : 0;
  let worst = 0;
  for (let i = 0; i < exact.length; i++) {
    const [expected, found] = [exact[i] as number, actual[i] as number];
    const error = Math.abs(found - expected);
    if (Number.isNaN(error)) return Number.NaN;
    if (error <= grain) continue;
    const scale = scales[Math.floor(i / classes)] as number;
    worst = Math.max(worst, (error - grain) / Math.max(Math.abs(expected), scale / 10));
  }
  return worst;
}
