import { softmaxRow } from '../backends/js/forward.js';
import { mapRows } from '../backends/js/kernels.js';
import { inFunction } from '../errors.js';
import { copyOptions, optionsOf } from '../problem/options.js';
import { rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, plainLength } from './fast-path.js';
import { unaryOperation } from './row-operation.js';

export const softmax = unaryOperation({
  name: 'softmax',
  input: 'x',
  result: 'rows',
  hasLimits: true,
  js: mapRows(softmaxRow, 0),
  // Not shared with log-softmax.ts and others: a call site that always meets the same function is inlined.
  fast(plain, known, general) {
    const buffers = new DistinctBuffers();
    return (x, options) => {
      try {
        const given = copyOptions(optionsOf(options, known));
        const length = plainLength(given, given.out);
        if (length === 0 || !isPlainInput(x, given.out, buffers)) return general(x, given);
        const out = given.out as Float32Array;
        plain.softmax(x as Float32Array, out, rawLengthOf(out), length);
        return out;
      } catch (error) {
        throw inFunction('softmax', error);
      }
    };
  },
});
