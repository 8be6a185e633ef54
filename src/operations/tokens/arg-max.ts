import { argMaxRows } from '../../backends/js/tokens/arg-max.js';
import { copyOptions, optionsOf } from '../../problem/options.js';
import { named } from '../operation.js';
import { unaryOperation } from '../row-operation.js';
import { fastArgMax } from './fast-tokens.js';

export const argMax = unaryOperation({
  name: 'argMax',
  input: 'x',
  result: 'row',
  holds: 'int32',
  hasLimits: true,
  js: argMaxRows,
  fast: ({ plainTokens }, known, general) =>
    named('argMax', (x, options) => {
      const given = copyOptions(optionsOf(options, known));
      return (plainTokens && fastArgMax(plainTokens, x, given)) ?? general(x, given);
    }),
});
