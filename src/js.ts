/**
 * The softmax family in plain JavaScript. Never touches native code, reads no environment.
 *
 * @packageDocumentation
 */

import { type Backend, type ChosenBackend, chooseJs } from './backends/choose.js';
import { type ThreadsApi, threadsApi } from './backends/threads.js';
import { createApi, type SoftmaxApi } from './operations/create.js';

export type * from './api/index.js';

const chosen: ChosenBackend = chooseJs('imported from softmax-native/js');
const api: SoftmaxApi = createApi(chosen.engine);
const threads: ThreadsApi = threadsApi(chosen.threads);

/** Which code serves the calls of this entry point, and why. Frozen. */
export const backend: Backend = chosen.backend;

/** {@inheritDoc SoftmaxApi.softmax} */
export const softmax: SoftmaxApi['softmax'] = api.softmax;

/** {@inheritDoc SoftmaxApi.logSoftmax} */
export const logSoftmax: SoftmaxApi['logSoftmax'] = api.logSoftmax;

/** {@inheritDoc SoftmaxApi.logSumExp} */
export const logSumExp: SoftmaxApi['logSumExp'] = api.logSumExp;

/** {@inheritDoc SoftmaxApi.softmaxBackward} */
export const softmaxBackward: SoftmaxApi['softmaxBackward'] = api.softmaxBackward;

/** {@inheritDoc SoftmaxApi.logSoftmaxBackward} */
export const logSoftmaxBackward: SoftmaxApi['logSoftmaxBackward'] = api.logSoftmaxBackward;

/** {@inheritDoc SoftmaxApi.softmaxJacobian} */
export const softmaxJacobian: SoftmaxApi['softmaxJacobian'] = api.softmaxJacobian;

/** {@inheritDoc SoftmaxApi.crossEntropy} */
export const crossEntropy: SoftmaxApi['crossEntropy'] = api.crossEntropy;

/** {@inheritDoc SoftmaxApi.nllLoss} */
export const nllLoss: SoftmaxApi['nllLoss'] = api.nllLoss;

/** {@inheritDoc SoftmaxApi.distillationLoss} */
export const distillationLoss: SoftmaxApi['distillationLoss'] = api.distillationLoss;

/** {@inheritDoc SoftmaxApi.softmaxAsync} */
export const softmaxAsync: SoftmaxApi['softmaxAsync'] = api.softmaxAsync;

/** {@inheritDoc SoftmaxApi.logSoftmaxAsync} */
export const logSoftmaxAsync: SoftmaxApi['logSoftmaxAsync'] = api.logSoftmaxAsync;

/** {@inheritDoc SoftmaxApi.logSumExpAsync} */
export const logSumExpAsync: SoftmaxApi['logSumExpAsync'] = api.logSumExpAsync;

/** {@inheritDoc SoftmaxApi.softmaxBackwardAsync} */
export const softmaxBackwardAsync: SoftmaxApi['softmaxBackwardAsync'] = api.softmaxBackwardAsync;

/** {@inheritDoc SoftmaxApi.logSoftmaxBackwardAsync} */
export const logSoftmaxBackwardAsync: SoftmaxApi['logSoftmaxBackwardAsync'] = api.logSoftmaxBackwardAsync;

/** {@inheritDoc SoftmaxApi.softmaxJacobianAsync} */
export const softmaxJacobianAsync: SoftmaxApi['softmaxJacobianAsync'] = api.softmaxJacobianAsync;

/** {@inheritDoc SoftmaxApi.crossEntropyAsync} */
export const crossEntropyAsync: SoftmaxApi['crossEntropyAsync'] = api.crossEntropyAsync;

/** {@inheritDoc SoftmaxApi.nllLossAsync} */
export const nllLossAsync: SoftmaxApi['nllLossAsync'] = api.nllLossAsync;

/** {@inheritDoc SoftmaxApi.distillationLossAsync} */
export const distillationLossAsync: SoftmaxApi['distillationLossAsync'] = api.distillationLossAsync;

/** {@inheritDoc ThreadsApi.getThreads} */
export const getThreads: ThreadsApi['getThreads'] = threads.getThreads;

/** {@inheritDoc ThreadsApi.setThreads} */
export const setThreads: ThreadsApi['setThreads'] = threads.setThreads;
