import { allocate, lengthOf, requireFloat32, requireLength, requireNoOverlap } from './arrays.js';
import { rangeError, shown, typeError } from './errors.js';
import { laterRowOptions } from './forward.js';
import type { Kernels } from './kernels.js';
import {
  multiplierOf,
  optionsOf,
  refuseOptions,
  rowsOf,
  type ScalingOptions,
  type ShapeOptions,
} from './options.js';
import { type IndexTarget, ignoreIndexOf, readTargets, requireIndexTarget } from './targets.js';

/** How the losses of a batch become one: their mean over the rows kept, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface CrossEntropyOptions extends ShapeOptions, ScalingOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction | undefined;
  /** Rows with this target have no loss and no gradient, and do not count in the mean. Default −100. */
  readonly ignoreIndex?: number | undefined;
  /** true: a new array for the gradient; an array: the gradient goes there, over the logits if it is theirs. */
  readonly grad?: boolean | Float32Array | undefined;
  /** The mean over no rows: NaN as in PyTorch, or 0. Default 'nan'. */
  readonly emptyMean?: 'nan' | 'zero' | undefined;
}

export interface CrossEntropyResult<Loss = number> {
  /** One number (summed in float64 from the rows' float32 losses), or one float32 a row for reduction 'none'. */
  readonly loss: Loss;
  /** ∂loss/∂logits, of the logits' shape; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad?: Float32Array;
  /** log Σ exp(scale · logit / temperature), one a row, of ignored rows too. */
  readonly logSumExp: Float32Array;
  /** Rows that are not ignored. */
  readonly count: number;
}

/** The result where `grad` was given. */
export interface WithGrad {
  readonly grad: Float32Array;
}

const laterOptions = [...laterRowOptions, 'weight', 'labelSmoothing', 'gradOutput'] as const;

function oneOf<Choice extends string>(
  fn: string,
  argument: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  if (value === undefined) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const list = choices.map((candidate) => `'${candidate}'`).join(', ');
  const error = typeof value === 'string' ? rangeError : typeError;
  throw error('ERR_OPTION', `${argument} must be one of ${list}, got ${shown(value)}`, {
    fn,
    argument,
    value,
  });
}

function gradOf(fn: string, grad: unknown, elements: number): Float32Array | undefined {
  if (grad === undefined || grad === null || grad === false) return undefined;
  if (grad === true) return allocate(fn, elements);
  requireFloat32(fn, 'grad', grad);
  requireLength(fn, 'grad', grad, elements, 'the logits have');
  return grad;
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum;
}

export function crossEntropyFunction(kernels: Kernels) {
  const fn = 'crossEntropy';
  return (
    logits: Float32Array,
    target: IndexTarget,
    options?: CrossEntropyOptions,
  ): CrossEntropyResult<number | Float32Array> => {
    const given = optionsOf(fn, options);
    refuseOptions(fn, given, laterOptions);
    const multiplier = multiplierOf(fn, given, false);
    const reduction = oneOf(fn, 'reduction', given.reduction, ['mean', 'sum', 'none']);
    const emptyMean = oneOf(fn, 'emptyMean', given.emptyMean, ['nan', 'zero']);
    const ignoreIndex = ignoreIndexOf(fn, given.ignoreIndex);
    const givenGrad = given.grad;
    const { rows, length } = rowsOf(fn, 'logits', logits, given);
    requireIndexTarget(fn, target);
    const { classes, count } = readTargets(fn, target, rows, length, ignoreIndex);
    const grad = gradOf(fn, givenGrad, lengthOf(fn, 'logits', logits));
    if (grad !== undefined) {
      requireNoOverlap(fn, 'grad', grad, 'logits', logits);
      requireNoOverlap(fn, 'grad', grad, 'target', target, false);
    }

    const losses = allocate(fn, rows);
    const logSumExp = allocate(fn, rows);
    const gradLoss = reduction === 'mean' ? (count === 0 ? 0 : 1 / count) : 1;
    kernels.crossEntropy(logits, classes, losses, logSumExp, grad, rows, length, multiplier, gradLoss);

    const rest = grad === undefined ? { logSumExp, count } : { grad, logSumExp, count };
    if (reduction === 'none') return { loss: losses, ...rest };
    const sum = sumOf(losses);
    if (reduction === 'sum') return { loss: sum, ...rest };
    return { loss: count === 0 && emptyMean === 'zero' ? 0 : sum / count, ...rest };
  };
}
