export type { SoftmaxApi } from './api.js';
export type { Backend } from './backend.js';
export type { BackwardOptions, JacobianOptions } from './backward.js';
export type { CrossEntropyOptions, CrossEntropyResult, Reduction, WithGrad } from './cross-entropy.js';
export type { SoftmaxError, SoftmaxErrorCode, SoftmaxErrorDetails } from './errors.js';
export type { ForwardOptions } from './forward.js';
export type { OutOptions, ScalingOptions, ShapeOptions } from './options.js';
export type { IndexTarget } from './targets.js';
