import { entropyRow } from '../backends/js/entropy.js';
import { reduceRows } from '../backends/js/kernels.js';
import { unaryOperation } from './row-operation.js';

export const entropy = unaryOperation({
  name: 'entropy',
  input: 'x',
  result: 'row',
  cost: 4,
  js: reduceRows(entropyRow, 0),
});
