// softmax-native by one of its entry points: public calls with `out`.

import manifest from '../../package.json' with { type: 'json' };
import type { Call, Open } from '../implementation.js';
import { type Problem, valuesOf } from '../problem.js';

type Api = typeof import('softmax-native');

function runOf(api: Api, { operation, dtype, shape, input, output, target, out }: Problem): () => unknown {
  const x = input.data as Float32Array;
  const type = x instanceof Uint16Array ? { dtype } : {};
  const options = { ...type, shape: shape.dims, axis: shape.axis };
  if (operation === 'crossEntropy') {
    const withGrad = { ...options, grad: out };
    return () => api.crossEntropy(x, target, withGrad);
  }
  const withOut = { ...options, out };
  if (output) return () => api.softmaxBackward(x, output.data, withOut);
  return operation === 'softmax' ? () => api.softmax(x, withOut) : () => api.logSoftmax(x, withOut);
}

/** `entry`: softmax-native, softmax-native/js or softmax-native/native, which reads SOFTMAX_ISA. */
export const open: Open = async (entry) => {
  const api: Api = await import(entry);
  return {
    version: `${manifest.version} ${api.backend.isa ?? 'JavaScript'}`,
    prepare: (problem): Call => ({
      run: runOf(api, problem),
      result: () => valuesOf(problem.out, problem.dtype),
    }),
  };
};
