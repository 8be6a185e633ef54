export type { SoftmaxApi } from './api.js';
export type { AsyncApi } from './api-async.js';
export type { BackwardApi } from './api-backward.js';
export type { ForwardApi } from './api-forward.js';
export type { LossApi } from './api-losses.js';
export type {
  ArrayOf,
  Converted,
  DimsTensor,
  FloatArray,
  HalfArray,
  IndexArray,
  IndexTarget,
  Input,
  Like,
  MaskArray,
  NumberArray,
  Output,
  Result,
  RowArray,
  ShapeArray,
  ShapeTensor,
  Tensor,
} from './array-types.js';
export type { AsyncOptions } from './async.js';
export type { Backend } from './backend.js';
export type { BackwardOptions, JacobianOptions } from './backward.js';
export type { CrossEntropyResult } from './cross-entropy.js';
export type { CrossEntropyOptions } from './cross-entropy-options.js';
export type { DistillationOptions, DistillationResult } from './distillation.js';
export type { SoftmaxError, SoftmaxErrorCode, SoftmaxErrorDetails } from './errors.js';
export type { ForwardOptions } from './forward.js';
export type { DType } from './kernels.js';
export type { LossOf, LossOptions, LossTarget, Reduction, Wanted, WantedOf } from './losses.js';
export type { NllLossOptions, NllLossResult } from './nll-loss.js';
export type { DTypeOptions, MaskOptions, OutOptions, ScalingOptions, ShapeOptions } from './options.js';
export type { Abortable } from './signals.js';
export type { ThreadsApi } from './threads.js';
