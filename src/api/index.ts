export type { Abortable } from '../async/abort-signals.js';
export type { AsyncOptions } from '../async/run.js';
export type { Backend } from '../backends/choose.js';
export type { DType } from '../backends/kernels.js';
export type { ThreadsApi } from '../backends/threads.js';
export type { SoftmaxError, SoftmaxErrorCode, SoftmaxErrorDetails } from '../errors.js';
export type { BackwardOptions, JacobianOptions } from '../operations/backward.js';
export type { SoftmaxApi } from '../operations/create.js';
export type { CrossEntropyResult } from '../operations/cross-entropy.js';
export type { CrossEntropyOptions } from '../operations/cross-entropy-options.js';
export type { DistillationOptions, DistillationResult } from '../operations/distillation-loss.js';
export type { ForwardOptions } from '../operations/forward.js';
export type { LossOf, LossOptions, LossTarget, Reduction, Wanted, WantedOf } from '../operations/losses.js';
export type { NllLossOptions, NllLossResult } from '../operations/nll-loss.js';
export type {
  DTypeOptions,
  MaskOptions,
  OutOptions,
  ScalingOptions,
  ShapeOptions,
} from '../problem/options.js';
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
} from './arrays.js';
export type { AsyncApi } from './async.js';
export type { BackwardApi } from './backward.js';
export type { ForwardApi } from './forward.js';
export type { LossApi } from './losses.js';
