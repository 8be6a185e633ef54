import { canonical } from '../../backends/js/scaling.js';
import { allocate } from '../../problem/dtypes.js';
import { named } from '../operation.js';
import { scalingsOf } from './nodes.js';
import type { ShardOperation } from './operation.js';
import { readState, requireNoLimit, requireWhole } from './state.js';
import { logSumExpOfState } from './totals.js';

export const finishLogSumExp: ShardOperation = {
  name: 'finishLogSumExp',
  length: 1,
  options: undefined,
  bind: () => ({
    call: named('finishLogSumExp', (given) => {
      const state = readState('state', given);
      requireWhole('state', state);
      requireNoLimit('state', state);
      const { data } = allocate(state.isDouble ? 'float64' : 'float32', state.rows, false);
      const scalings = scalingsOf(state);
      for (let row = 0; row < state.rows; row++)
        data[row] = canonical(logSumExpOfState(state, row, scalings(row)));
      return data;
    }),
  }),
};
