import { argMaxRows } from '../../backends/js/tokens/arg-max.js';
import { unaryOperation } from '../row-operation.js';

export const argMax = unaryOperation({
  name: 'argMax',
  input: 'x',
  result: 'row',
  holds: 'int32',
  hasLimits: true,
  js: argMaxRows,
});
