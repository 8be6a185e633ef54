import { allocate, outputOf, requireFloat32, requireLength, requireNoOverlap } from './arrays.js';
import { laterRowOptions } from './forward.js';
import type { Kernels } from './kernels.js';
import {
  multiplierOf,
  type OutOptions,
  optionsOf,
  refuseOptions,
  rowsOf,
  type ScalingOptions,
  type ShapeOptions,
} from './options.js';

/** Options of softmaxBackward and logSoftmaxBackward. */
export interface BackwardOptions extends ShapeOptions, ScalingOptions, OutOptions {}

/** Options of softmaxJacobian. */
export interface JacobianOptions extends ShapeOptions {}

/** softmaxBackward and logSoftmaxBackward differ in nothing but their kernel. */
export function backwardFunction(fn: 'softmaxBackward' | 'logSoftmaxBackward', kernels: Kernels) {
  const kernel = kernels[fn];
  return (gradOutput: Float32Array, output: Float32Array, options?: BackwardOptions): Float32Array => {
    const given = optionsOf(fn, options);
    refuseOptions(fn, given, laterRowOptions);
    const multiplier = multiplierOf(fn, given, false);
    const givenOut = given.out;
    requireFloat32(fn, 'gradOutput', gradOutput);
    const { rows, length } = rowsOf(fn, 'output', output, given);
    requireLength(fn, 'gradOutput', gradOutput, rows * length, 'output has');
    const out = outputOf(fn, givenOut, rows * length);
    if (givenOut !== undefined) {
      requireNoOverlap(fn, 'out', out, 'gradOutput', gradOutput);
      requireNoOverlap(fn, 'out', out, 'output', output);
    }
    if (length > 0) kernel(gradOutput, output, out, rows, length, multiplier);
    return out;
  };
}

export function jacobianFunction(kernels: Kernels) {
  const fn = 'softmaxJacobian';
  return (output: Float32Array, options?: JacobianOptions): Float32Array => {
    const given = optionsOf(fn, options);
    refuseOptions(fn, given, [...laterRowOptions, 'temperature', 'scale', 'out']);
    const { rows, length } = rowsOf(fn, 'output', output, given);
    const out = allocate(fn, rows * length * length);
    if (length > 0) kernels.softmaxJacobian(output, out, rows, length);
    return out;
  };
}
