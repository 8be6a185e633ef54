import { logSoftmaxBackwardRow } from '../backends/js/backward.js';
import { mapPairs } from '../backends/js/kernels.js';
import { inFunction } from '../errors.js';
import { copyOptions, optionsOf } from '../problem/options.js';
import { rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, newResult, plainLength } from './fast-path.js';
import { binaryOperation } from './row-operation.js';

export const logSoftmaxBackward = binaryOperation({
  name: 'logSoftmaxBackward',
  inputs: ['gradOutput', 'output'],
  result: 'rows',
  js: mapPairs(logSoftmaxBackwardRow, Number.NEGATIVE_INFINITY),
  ofEmptyRow: Number.NEGATIVE_INFINITY,
  // In lines of its own, as softmax.ts says.
  fast({ plain, plainNew }, known, general) {
    const gradient = new DistinctBuffers();
    const forward = new DistinctBuffers();
    return (gradOutput, output, options) => {
      try {
        const given = copyOptions(optionsOf(options, known));
        const { out = output } = given;
        const length = plainLength(given, out);
        if (length > 0 && isPlainInput(gradOutput, out, gradient) && isPlainInput(output, out, forward)) {
          const isNew = given.out === undefined;
          const result = isNew ? newResult(output, length) : (out as Float32Array);
          (isNew ? plainNew : plain).logSoftmaxBackward(
            gradOutput as Float32Array,
            output as Float32Array,
            result,
            rawLengthOf(result),
            length,
          );
          return result;
        }
        return general(gradOutput, output, given);
      } catch (error) {
        throw inFunction('logSoftmaxBackward', error);
      }
    };
  },
});
