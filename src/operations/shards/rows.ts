// The logits of a shard, and what is known of their whole rows.

import type { Multipliers } from '../../backends/kernels.js';
import { rangeError, typeError } from '../../errors.js';
import { withoutRows } from '../../problem/empty-rows.js';
import type { Held } from '../../problem/layout-memory.js';
import type { RowProblem } from '../../problem/rows.js';
import type { Operand } from '../../problem/tensors.js';
import { classesOf, RowField, rowAt, type State } from './state.js';

/** The memory of a state, which no output may be in. */
export const heldBy = ({ numbers }: State): Held => ({ data: numbers, tensor: undefined });

/** What a state must be to be of an input's rows. */
export function requireRowsOf(
  state: State,
  { dtype }: Operand,
  { rowCount, length }: RowProblem,
  offset = 0,
): void {
  if (state.isDouble !== (dtype === 'float64')) {
    const message = `state is of ${state.isDouble ? 'float64' : 'float32'} rows and x is ${dtype}; float64 cannot be mixed with other types`;
    throw typeError('ERR_DTYPE', message, { argument: 'state', value: dtype });
  }
  if (state.rows !== rowCount) {
    const message = `state has ${state.rows} rows, but x has ${rowCount}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'state', value: state.rows });
  }
  const classes = classesOf(state);
  if (offset + length <= classes) return;
  const message = `x has classes up to ${offset + length}, but state has ${classes}`;
  throw rangeError('ERR_SHAPE', message, { argument: 'x', value: offset + length });
}

/** Those that the shards' sums were made with. */
function multipliersOf(state: State): Multipliers {
  const of = (row: number) => state.numbers[rowAt(state, row) + RowField.multiplier] as number;
  if (state.rows === 0) return 1;
  const first = of(0);
  const multipliers = Float64Array.from({ length: state.rows }, (_, row) => of(row));
  return multipliers.every((multiplier) => multiplier === first) ? first : multipliers;
}

/** With the state's temperature and scale; rows that are empty in all shards are as if the mask emptied them. */
export function rowsOf(state: State, rows: RowProblem): RowProblem {
  const isEmpty = (row: number) => state.numbers[rowAt(state, row) + RowField.argMax] === -1;
  return withoutRows({ ...rows, multiplier: multipliersOf(state) }, isEmpty);
}
