import { softmaxRow } from '../backends/js/forward.js';
import { mapRows } from '../backends/js/kernels.js';
import { inFunction } from '../errors.js';
import { copyOptions, optionsOf } from '../problem/options.js';
import { rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, newResult, plainLength } from './fast-path.js';
import { unaryOperation } from './row-operation.js';

export const softmax = unaryOperation({
  name: 'softmax',
  input: 'x',
  result: 'rows',
  hasLimits: true,
  js: mapRows(softmaxRow, 0),
  // Not shared with log-softmax.ts and others: a call site that always meets the same function is inlined.
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
        (isNew ? plainNew : plain).softmax(x as Float32Array, result, rawLengthOf(result), length);
        return result;
      } catch (error) {
        throw inFunction('softmax', error);
      }
    };
  },
});
