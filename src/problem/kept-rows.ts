// The rows that a distillation loss is of. All others have no loss and no gradient, and do not count in the mean.

import { ElementMemory } from '../backends/element-memory.js';
import { isKept } from '../backends/js/rows.js';
import { signOf } from '../backends/js/scaling.js';
import type { Elements } from '../backends/kernels.js';
import { allocateOrThrow } from '../typed-arrays.js';
import type { Divisor } from './reduction.js';
import type { RowProblem } from './rows.js';
import type { Target } from './targets.js';

/** Whether `mask` keeps nothing of a row, or nothing but −Infinity (`scale` makes it that) where such rows are empty. */
function isEmpty(problem: RowProblem, arrays: readonly ElementMemory[], row: number): boolean {
  const { length, inner, mask, multiplier } = problem;
  const dropped =
    signOf(typeof multiplier === 'number' ? multiplier : (multiplier[row] as number)) *
    Number.NEGATIVE_INFINITY;
  const outer = Math.floor(row / inner);
  const first = outer * length * inner + (row - outer * inner);
  const isNothing = (logits: ElementMemory | undefined): boolean => {
    // One look at a mask that is the same for all of a row.
    const looks = logits === undefined && mask?.step === 0 ? 1 : length;
    for (let k = 0; k < looks; k++)
      if (isKept(mask, row, k) && (logits === undefined || logits.get(first + k * inner) !== dropped))
        return false;
    return true;
  };
  return (mask !== undefined && isNothing(undefined)) || arrays.some(isNothing);
}

/** What a mean is over, and which rows. */
export interface KeptRows extends Divisor {
  /** One per row, negative for a row that is left out; undefined if none is. */
  readonly classes: Int32Array | undefined;
}

/**
 * The rows whose target is not ignored, but for empty ones: their class indices, if there are any, become −1. `inputs`:
 * arrays of logits; a row that is empty in one of them is.
 */
export function keptRows(
  target: Target | undefined,
  weight: Float64Array | undefined,
  rows: RowProblem,
  inputs: readonly Elements[],
): KeptRows {
  const { rowCount, length, mask, zeroesEmpty } = rows;
  const given = target?.target instanceof Int32Array ? target.target : undefined;
  if (length === 0 || (mask === undefined && !zeroesEmpty)) {
    const { count, divisor } = target ?? { count: rowCount, divisor: rowCount };
    return { classes: count < rowCount ? given : undefined, count, divisor };
  }
  const classes = given ?? allocateOrThrow(rowCount, () => new Int32Array(rowCount));
  const arrays = zeroesEmpty ? inputs.map((elements) => new ElementMemory(elements)) : [];
  let count = 0;
  let weights = 0;
  for (let row = 0; row < rowCount; row++) {
    const index = classes[row] as number;
    if (index < 0) continue;
    if (isEmpty(rows, arrays, row)) {
      classes[row] = -1;
    } else {
      count++;
      if (weight) weights += weight[index] as number;
    }
  }
  const divisor = given && weight ? weights : count;
  return { classes: count < rowCount ? classes : undefined, count, divisor };
}
