/**
 * The softmax family on the fastest backend there is: native code if it loads, else JavaScript with the same bits.
 *
 * @packageDocumentation
 */

import { type Backend, type ChosenBackend, chooseBackend } from './backends/choose.js';
import { type ThreadsApi, threadsApi } from './backends/threads.js';
import { createApi, type SoftmaxApi } from './operations/create.js';

export type * from './api/index.js';

const chosen: ChosenBackend = chooseBackend(process.env);
const api: SoftmaxApi = createApi(chosen.engine);
const threads: ThreadsApi = threadsApi(chosen.threads);

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

/**
 * {@inheritDoc SoftmaxApi.softmaxAsync}
 *
 * @function
 */
export const softmaxAsync: SoftmaxApi['softmaxAsync'] = api.softmaxAsync;

/**
 * {@inheritDoc SoftmaxApi.logSoftmaxAsync}
 *
 * @function
 */
export const logSoftmaxAsync: SoftmaxApi['logSoftmaxAsync'] = api.logSoftmaxAsync;

/**
 * {@inheritDoc SoftmaxApi.logSumExpAsync}
 *
 * @function
 */
export const logSumExpAsync: SoftmaxApi['logSumExpAsync'] = api.logSumExpAsync;

/**
 * {@inheritDoc SoftmaxApi.softmaxBackwardAsync}
 *
 * @function
 */
export const softmaxBackwardAsync: SoftmaxApi['softmaxBackwardAsync'] = api.softmaxBackwardAsync;

/**
 * {@inheritDoc SoftmaxApi.logSoftmaxBackwardAsync}
 *
 * @function
 */
export const logSoftmaxBackwardAsync: SoftmaxApi['logSoftmaxBackwardAsync'] = api.logSoftmaxBackwardAsync;

/**
 * {@inheritDoc SoftmaxApi.softmaxJacobianAsync}
 *
 * @function
 */
export const softmaxJacobianAsync: SoftmaxApi['softmaxJacobianAsync'] = api.softmaxJacobianAsync;

/**
 * {@inheritDoc SoftmaxApi.crossEntropyAsync}
 *
 * @function
 */
export const crossEntropyAsync: SoftmaxApi['crossEntropyAsync'] = api.crossEntropyAsync;

/**
 * {@inheritDoc SoftmaxApi.nllLossAsync}
 *
 * @function
 */
export const nllLossAsync: SoftmaxApi['nllLossAsync'] = api.nllLossAsync;

/**
 * {@inheritDoc SoftmaxApi.distillationLossAsync}
 *
 * @function
 */
export const distillationLossAsync: SoftmaxApi['distillationLossAsync'] = api.distillationLossAsync;

/**
 * {@inheritDoc ThreadsApi.getThreads}
 *
 * @function
 */
export const getThreads: ThreadsApi['getThreads'] = threads.getThreads;

/**
 * {@inheritDoc ThreadsApi.setThreads}
 *
 * @function
 */
export const setThreads: ThreadsApi['setThreads'] = threads.setThreads;
