/**
 * The softmax family on the fastest backend there is: native code if it loads, else JavaScript with the same bits.
 *
 * @packageDocumentation
 */

import { createApi, type SoftmaxApi } from './api.js';
import { type Backend, type ChosenBackend, chooseBackend } from './backend.js';

export type * from './types.js';

const chosen: ChosenBackend = chooseBackend(process.env);
const api: SoftmaxApi = createApi(chosen.kernels);

/** Which code serves the calls of this entry point, and why. Frozen. */
export const backend: Backend = chosen.backend;

/**
 * {@inheritDoc SoftmaxApi.softmax}
 *
 * @function
 */
export const softmax: SoftmaxApi['softmax'] = api.softmax;

/**
 * {@inheritDoc SoftmaxApi.logSoftmax}
 *
 * @function
 */
export const logSoftmax: SoftmaxApi['logSoftmax'] = api.logSoftmax;

/**
 * {@inheritDoc SoftmaxApi.logSumExp}
 *
 * @function
 */
export const logSumExp: SoftmaxApi['logSumExp'] = api.logSumExp;

/**
 * {@inheritDoc SoftmaxApi.softmaxBackward}
 *
 * @function
 */
export const softmaxBackward: SoftmaxApi['softmaxBackward'] = api.softmaxBackward;

/**
 * {@inheritDoc SoftmaxApi.logSoftmaxBackward}
 *
 * @function
 */
export const logSoftmaxBackward: SoftmaxApi['logSoftmaxBackward'] = api.logSoftmaxBackward;

/**
 * {@inheritDoc SoftmaxApi.softmaxJacobian}
 *
 * @function
 */
export const softmaxJacobian: SoftmaxApi['softmaxJacobian'] = api.softmaxJacobian;

/**
 * {@inheritDoc SoftmaxApi.crossEntropy}
 *
 * @function
 */
export const crossEntropy: SoftmaxApi['crossEntropy'] = api.crossEntropy;

/**
 * {@inheritDoc SoftmaxApi.nllLoss}
 *
 * @function
 */
export const nllLoss: SoftmaxApi['nllLoss'] = api.nllLoss;

/**
 * {@inheritDoc SoftmaxApi.distillationLoss}
 *
 * @function
 */
export const distillationLoss: SoftmaxApi['distillationLoss'] = api.distillationLoss;
