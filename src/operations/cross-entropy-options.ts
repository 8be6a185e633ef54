import type { DType } from '../backends/kernels.js';
import { type MaskOptions, optionsOf, type ScalingOptions } from '../problem/options.js';
import type { LossOptions, Reduction, Wanted } from './losses.js';

/** Options of crossEntropy. */
export interface CrossEntropyOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  LogProbs extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends LossOptions<R, Grad, D>,
    ScalingOptions,
    MaskOptions {
  /** ε in [0, 1]: the target becomes (1 − ε) of itself and ε / C of every class. Default 0. */
  readonly labelSmoothing?: number | undefined;
  /** true: a new array for the log-probabilities; an array: they go there. ONNX calls them log_prob. */
  readonly logProbs?: LogProbs | undefined;
}

/** The options: a private copy. */
export type GivenCrossEntropyOptions = {
  -readonly [Name in keyof CrossEntropyOptions]: CrossEntropyOptions[Name];
};

/** Reads each once. */
export function readOptions(fn: string, options: CrossEntropyOptions | undefined): GivenCrossEntropyOptions {
  const given = optionsOf(fn, options);
  const { labelSmoothing = 0, grad, logProbs } = given;
  const { shape, axis = -1, temperature = 1, scale = 1, mask, dtype } = given;
  const { reduction, emptyMean, gradOutput = 1, weight, ignoreIndex } = given;
  return {
    labelSmoothing,
    grad,
    logProbs,
    shape,
    axis,
    temperature,
    scale,
    mask,
    dtype,
    reduction,
    emptyMean,
    gradOutput,
    weight,
    ignoreIndex,
  };
}
