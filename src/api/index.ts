/**
 * The softmax family on the fastest backend there is: native code if it loads, else JavaScript with the same bits.
 *
 * The functions work along any axis of row-major arrays, check everything before they write anything, and give the same
 * bits on every backend and instruction set (for float64 JavaScript is promised to be within 2 ULP of native code; so
 * far its bits are the same).
 *
 * Arrays are Float32Array, Float64Array, Float16Array where the runtime has it, or Uint16Array with a `dtype` of
 * 'float16' or 'bfloat16'; or tensors, `{ data, dims, type? }` or `{ data, shape, dtype? }`. Results come in the same
 * kind of container, with the same names of the fields. 16-bit floats are computed in float32.
 *
 * Every function throws a TypeError or RangeError with a {@link SoftmaxErrorCode | code}. Its `Async` twin returns a
 * promise of the same result, and rejects with the same errors; {@link AsyncOptions} says what its caller may do
 * meanwhile.
 *
 * @packageDocumentation
 */

export type { DType } from '../backends/kernels.js';
export type { SoftmaxError, SoftmaxErrorCode, SoftmaxErrorDetails } from '../errors.js';
export type * from './arrays.js';
export * from './backward.js';
export * from './cross-entropy.js';
export * from './distillation-loss.js';
export * from './forward.js';
export * from './gumbel-softmax.js';
export type * from './loss-options.js';
export * from './nll-loss.js';
export type * from './options.js';
export * from './runtime.js';
export * from './sample.js';
export * from './shards.js';
export * from './stream.js';
export * from './tokens.js';
