import { softmaxBackwardRow } from '../backends/js/backward.js';
import { mapPairs } from '../backends/js/kernels.js';
import { inFunction } from '../errors.js';
import { copyOptions, optionsOf } from '../problem/options.js';
import { rawLengthOf } from '../typed-arrays.js';
import { DistinctBuffers, isPlainInput, plainLength } from './fast-path.js';
import { binaryOperation } from './row-operation.js';

export const softmaxBackward = binaryOperation({
  name: 'softmaxBackward',
  inputs: ['gradOutput', 'output'],
  result: 'rows',
  js: mapPairs(softmaxBackwardRow, 0),
  ofEmptyRow: 0,
  // In lines of its own, as softmax.ts says.
  fast(plain, known, general) {
    const gradient = new DistinctBuffers();
    const forward = new DistinctBuffers();
    return (gradOutput, output, options) => {
      try {
        const given = copyOptions(optionsOf(options, known));
        const { out } = given;
        const length = plainLength(given, out);
        if (length > 0 && isPlainInput(gradOutput, out, gradient) && isPlainInput(output, out, forward)) {
          const result = out as Float32Array;
          plain.softmaxBackward(
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
        throw inFunction('softmaxBackward', error);
      }
    };
  },
});
