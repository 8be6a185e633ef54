import { outputOf, requireNoOverlap } from './arrays.js';
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

/** Options of softmax, logSoftmax and logSumExp. */
export interface ForwardOptions extends ShapeOptions, ScalingOptions, OutOptions {}

export const laterRowOptions = ['mask', 'dtype'] as const;

/** softmax and logSoftmax differ in nothing but their kernel. */
export function sameShapeFunction(fn: 'softmax' | 'logSoftmax', kernels: Kernels) {
  const kernel = kernels[fn];
  return (x: Float32Array, options?: ForwardOptions): Float32Array => {
    const given = optionsOf(fn, options);
    refuseOptions(fn, given, laterRowOptions);
    const multiplier = multiplierOf(fn, given, true);
    const givenOut = given.out;
    const { rows, length } = rowsOf(fn, 'x', x, given);
    const out = outputOf(fn, givenOut, rows * length);
    if (givenOut !== undefined) requireNoOverlap(fn, 'out', out, 'x', x);
    if (length > 0) kernel(x, out, rows, length, multiplier);
    return out;
  };
}

export function logSumExpFunction(kernels: Kernels) {
  const fn = 'logSumExp';
  return (x: Float32Array, options?: ForwardOptions): Float32Array => {
    const given = optionsOf(fn, options);
    refuseOptions(fn, given, laterRowOptions);
    const multiplier = multiplierOf(fn, given, false);
    const givenOut = given.out;
    const { rows, length } = rowsOf(fn, 'x', x, given);
    const out = outputOf(fn, givenOut, rows);
    if (givenOut !== undefined) requireNoOverlap(fn, 'out', out, 'x', x);
    kernels.logSumExp(x, out, rows, length, multiplier);
    return out;
  };
}
