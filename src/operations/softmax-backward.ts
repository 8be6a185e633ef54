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
  // In lines of its own, as softmax.ts says.
  fast(plain, general) {
    const gradient = new DistinctBuffers();
    const forward = new DistinctBuffers();
    return (gradOutput, output, options) => {
      try {
        const given = copyOptions(optionsOf(options));
        const { out } = given;
        const length = plainLength(given, out);
        const isPlain =
          length > 0 && isPlainInput(gradOutput, out, gradient) && isPlainInput(output, out, forward);
        if (!isPlain) return general(gradOutput, output, given);
        const [g, p, result] = [gradOutput, output, out] as [Float32Array, Float32Array, Float32Array];
        plain.softmaxBackward(g, p, result, rawLengthOf(result), length);
        return result;
      } catch (error) {
        throw inFunction('softmaxBackward', error);
      }
    };
  },
});
