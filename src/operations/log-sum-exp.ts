import { logSumExpRow } from '../backends/js/forward.js';
import { reduceRows } from '../backends/js/kernels.js';
import { unaryOperation } from './row-operation.js';

export const logSumExp = unaryOperation({
  name: 'logSumExp',
  input: 'x',
  result: 'row',
  js: reduceRows(logSumExpRow),
});
