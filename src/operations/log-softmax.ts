import { logSoftmaxRow } from '../backends/js/forward.js';
import { mapRows } from '../backends/js/kernels.js';
import { inFunction } from '../errors.js';
import { copyOptions, optionsOf } from '../problem/options.js';
import { rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, plainLength } from './fast-path.js';
import { unaryOperation } from './row-operation.js';

export const logSoftmax = unaryOperation({
  name: 'logSoftmax',
  input: 'x',
  result: 'rows',
  hasLimits: true,
  js: mapRows(logSoftmaxRow, Number.NEGATIVE_INFINITY),
  // In lines of its own, as softmax.ts says.
  fast(plain, known, general) {
    const buffers = new DistinctBuffers();
    return (x, options) => {
      try {
        const given = copyOptions(optionsOf(options, known));
        const length = plainLength(given, given.out);
        if (length === 0 || !isPlainInput(x, given.out, buffers)) return general(x, given);
        const out = given.out as Float32Array;
        plain.logSoftmax(x as Float32Array, out, rawLengthOf(out), length);
        return out;
      } catch (error) {
        throw inFunction('logSoftmax', error);
      }
    };
  },
});
