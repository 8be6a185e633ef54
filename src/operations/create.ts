import type { AsyncApi } from '../api/async.js';
import type { BackwardApi } from '../api/backward.js';
import type { ForwardApi } from '../api/forward.js';
import type { LossApi } from '../api/losses.js';
import type { Engine } from '../async/run.js';
import {
  asyncBackwardFunctions,
  asyncJacobianFunction,
  backwardFunctions,
  jacobianFunction,
} from './backward.js';
import { asyncCrossEntropyFunction, crossEntropyFunction } from './cross-entropy.js';
import { asyncDistillationFunction, distillationFunction } from './distillation-loss.js';
import { asyncForwardFunctions, forwardFunctions } from './forward.js';
import { nllLoss, nllLossAsync } from './nll-loss.js';

/**
 * The functions of this package. They work along any axis of row-major arrays, check everything before they write
 * anything, and give the same bits on every backend and instruction set (for float64 JavaScript is
 * promised to be within 2 ULP of native code; so far its bits are the same).
 *
 * Arrays are Float32Array, Float64Array, Float16Array where the runtime has it, or Uint16Array with a `dtype` of
 * 'float16' or 'bfloat16'; or tensors, `{ data, dims, type? }` or `{ data, shape, dtype? }`. Results come in the same
 * kind of container, with the same names of the fields. 16-bit floats are computed in float32.
 *
 * Every function throws a TypeError or RangeError with a `code`: ERR_DTYPE (no floats, or of a type that does not go with
 * the others'), ERR_SHAPE (shapes and lengths disagree, or there is no memory for them), ERR_AXIS, ERR_TEMPERATURE
 * (negative or NaN; 0 where there is no limit), ERR_MASK, ERR_TARGET_RANGE, ERR_LABEL_SMOOTHING, ERR_OUT_OVERLAP (an
 * output shares part of the memory of an input or of another output), ERR_DETACHED (a detached buffer or a view out of
 * bounds), ERR_NOT_ON_CPU (a tensor whose `location` is another), ERR_OPTION (any other option, and what other libraries
 * call one).
 */
export interface SoftmaxApi extends ForwardApi, BackwardApi, LossApi, AsyncApi {}

/** One implementation for all types of a function: what it returns follows from what it is given. */
export function createApi(engine: Engine): SoftmaxApi {
  const { kernels } = engine;
  const { softmax, logSoftmax, logSumExp } = forwardFunctions(kernels);
  const { softmaxBackward, logSoftmaxBackward } = backwardFunctions(kernels);
  const { softmaxAsync, logSoftmaxAsync, logSumExpAsync } = asyncForwardFunctions(engine);
  const { softmaxBackwardAsync, logSoftmaxBackwardAsync } = asyncBackwardFunctions(engine);
  return {
    softmax: softmax as SoftmaxApi['softmax'],
    logSoftmax: logSoftmax as SoftmaxApi['logSoftmax'],
    logSumExp: logSumExp as SoftmaxApi['logSumExp'],
    softmaxBackward: softmaxBackward as SoftmaxApi['softmaxBackward'],
    logSoftmaxBackward: logSoftmaxBackward as SoftmaxApi['logSoftmaxBackward'],
    softmaxJacobian: jacobianFunction(kernels) as SoftmaxApi['softmaxJacobian'],
    crossEntropy: crossEntropyFunction(kernels) as SoftmaxApi['crossEntropy'],
    nllLoss: nllLoss as SoftmaxApi['nllLoss'],
    distillationLoss: distillationFunction(kernels) as SoftmaxApi['distillationLoss'],
    softmaxAsync: softmaxAsync as SoftmaxApi['softmaxAsync'],
    logSoftmaxAsync: logSoftmaxAsync as SoftmaxApi['logSoftmaxAsync'],
    logSumExpAsync: logSumExpAsync as SoftmaxApi['logSumExpAsync'],
    softmaxBackwardAsync: softmaxBackwardAsync as SoftmaxApi['softmaxBackwardAsync'],
    logSoftmaxBackwardAsync: logSoftmaxBackwardAsync as SoftmaxApi['logSoftmaxBackwardAsync'],
    softmaxJacobianAsync: asyncJacobianFunction(engine) as SoftmaxApi['softmaxJacobianAsync'],
    crossEntropyAsync: asyncCrossEntropyFunction(engine) as SoftmaxApi['crossEntropyAsync'],
    nllLossAsync: nllLossAsync as SoftmaxApi['nllLossAsync'],
    distillationLossAsync: asyncDistillationFunction(engine) as SoftmaxApi['distillationLossAsync'],
  };
}
