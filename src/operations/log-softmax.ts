import { logSoftmaxRow } from '../backends/js/forward.js';
import { mapRows } from '../backends/js/kernels.js';
import { inFunction } from '../errors.js';
import { copyOptions, optionsOf } from '../problem/options.js';
import { rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, newResult, plainLength } from './fast-path.js';
import { unaryOperation } from './row-operation.js';

export const logSoftmax = unaryOperation({
  name: 'logSoftmax',
  input: 'x',
  result: 'rows',
  hasLimits: true,
  js: mapRows(logSoftmaxRow, Number.NEGATIVE_INFINITY),
  // In lines of its own, as softmax.ts says.
  fast({ plain, plainNew }, known, general) {
    const buffers = new DistinctBuffers();
    return (x, options) => {
      try {
        const given = copyOptions(optionsOf(options, known));
        const { out = x } = given;
        const length = plainLength(given, out);
        if (length === 0 || !isPlainInput(x, out, buffers)) return general(x, given);
        const isNew = given.out === undefined;
        const result = isNew ? newResult(x, length) : (out as Float32Array);
        (isNew ? plainNew : plain).logSoftmax(x as Float32Array, result, rawLengthOf(result), length);
        return result;
      } catch (error) {
        throw inFunction('logSoftmax', error);
      }
    };
  },
});
