// The rows that a distillation loss is of. All others have no loss and no gradient, and do not count in the mean.

import { isEmptied } from './empty-rows.js';
import type { Divisor } from './reduction.js';
import type { RowProblem } from './rows.js';
import type { Target } from './targets.js';

/** Whether a row's target is ignored, or the mask empties it. */
export const isLeftOut = (rows: RowProblem, classes: Int32Array | undefined, row: number): boolean =>
  (classes !== undefined && (classes[row] as number) < 0) || isEmptied(rows, row);

/** What a mean is over: the rows that are not left out. `classes`: of the target, if it has any. */
export function keptRows(
  rows: RowProblem,
  target: Target | undefined,
  classes: Int32Array | undefined,
  weight: Float64Array | undefined,
): Divisor {
  const { rowCount, length, mask } = rows;
  if (length === 0 || mask === undefined) return target ?? { count: rowCount, divisor: rowCount };
  let count = 0;
  let weights = 0;
  for (let row = 0; row < rowCount; row++) {
    if (isLeftOut(rows, classes, row)) continue;
    count++;
    if (classes && weight) weights += weight[classes[row] as number] as number;
  }
  return { count, divisor: classes && weight ? weights : count };
}
