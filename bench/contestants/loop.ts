// The loops of plain.ts. 16 bits are decoded before and encoded after.

import { decode, encode } from '../halves.js';
import type { Call, Open } from '../implementation.js';
import {
  type Numbers,
  plainCrossEntropy,
  plainLogSoftmax,
  plainSoftmax,
  plainSoftmaxBackward,
} from '../plain.js';
import { type Problem, valuesOf } from '../problem.js';

function loopOf(
  { operation, where, target }: Problem,
  input: Numbers,
  output: Numbers,
  out: Numbers,
): () => void {
  if (operation === 'softmax') return () => plainSoftmax(input, out, where);
  if (operation === 'logSoftmax') return () => plainLogSoftmax(input, out, where);
  if (operation === 'softmaxBackward') return () => plainSoftmaxBackward(input, output, out, where);
  return () => plainCrossEntropy(input, target, out, where);
}

function runOf(problem: Problem): () => void {
  const { dtype, input, output = input, out } = problem;
  if (!(out instanceof Uint16Array)) return loopOf(problem, input.values, output.values, out);
  const [x, p] = [input.data as Uint16Array, output.data as Uint16Array];
  const [values, outputs, results] = [x, p, out].map(({ length }) => new Float32Array(length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const loop = loopOf(problem, values, outputs, results);
  return () => {
    decode(x, dtype, values);
    if (p !== x) decode(p, dtype, outputs);
    loop();
    encode(results, dtype, out);
  };
}

export const open: Open = () => ({
  version: `V8 ${process.versions.v8}`,
  prepare: (problem): Call => ({ run: runOf(problem), result: () => valuesOf(problem.out, problem.dtype) }),
});
