// The options of losses, and the outputs that they are asked for.

import type { NumberArray } from '../api/arrays.js';
import type { Reduction, Wanted } from '../api/loss-options.js';
import type { DType } from '../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../errors.js';
import { requireFamily } from './dtypes.js';
import { type GivenWeight, isNumbers, type Numbers, readNumbers, readWeight } from './number-options.js';
import { defaults, foreignNumbers, type GivenOptions, type Options, oneOf } from './options.js';
import {
  type Destination,
  type GivenOutput,
  givenDestination,
  newDestination,
  type OutputUse,
  readOutput,
  requireShareNothing,
} from './outputs.js';
import type { RowOptions, RowProblem } from './rows.js';
import type { Input, Operand } from './tensors.js';

/** The options of a loss as they were given: a private copy, with defaults. */
export interface GivenLossOptions extends Omit<GivenOptions, 'out'> {
  readonly grad: Wanted;
  /** Of crossEntropy. */
  readonly logProbs: Wanted;
  readonly labelSmoothing: number;
  readonly reduction: Reduction | undefined;
  readonly emptyMean: 'nan' | 'zero' | undefined;
  readonly gradOutput: number | NumberArray;
  readonly weight: NumberArray | undefined;
  readonly ignoreIndex: number | undefined;
}

/** Reads each once. `logProbs`: where the function has that option, what it is. */
export function copyLossOptions(options: Options, logProbs: unknown): GivenLossOptions {
  const {
    grad,
    labelSmoothing = 0,
    shape,
    axis = defaults.axis,
    temperature = defaults.temperature,
    scale = defaults.scale,
    mask,
    emptyRow,
    dtype,
    reduction,
    emptyMean,
    gradOutput = defaults.gradOutput,
    weight,
    ignoreIndex,
  } = options as Partial<GivenLossOptions>;
  return {
    grad,
    logProbs: logProbs as Wanted,
    labelSmoothing,
    shape,
    axis,
    temperature,
    scale,
    mask,
    emptyRow,
    dtype,
    reduction,
    emptyMean,
    gradOutput,
    weight,
    ignoreIndex,
  };
}

/** The options of a loss, each read once. */
export interface ReadLossOptions {
  readonly reduction: Reduction;
  readonly isZeroWhenEmpty: boolean;
  readonly gradOutput: number | Numbers;
  readonly weight: GivenWeight | undefined;
  readonly ignoreIndex: number | undefined;
}

/** PyTorch's, its numbers and TensorFlow.js's, Keras's. */
const foreignReductions: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['batchmean', "'mean' of distillationLoss, in other losses 'sum' divided by the batch size"],
  ...['elementwise_mean', 'average', 'avg', 'sum_over_batch_size', 1].map(
    (name) => [name, "'mean' here"] as const,
  ),
  [2, "'sum' here"],
  ...[null, 0, false].map((name) => [name, "'none' here"] as const),
]);

export function readLossOptions(options: GivenLossOptions, dtype: DType | undefined): ReadLossOptions {
  const { reduction, emptyMean, gradOutput, weight, ignoreIndex } = options;
  return {
    reduction: oneOf('reduction', reduction, ['mean', 'sum', 'none'], foreignReductions),
    isZeroWhenEmpty: oneOf('emptyMean', emptyMean, ['nan', 'zero'], foreignNumbers) === 'zero',
    gradOutput: readGradOutput(gradOutput, dtype),
    weight: weight === undefined ? undefined : readWeight(weight, dtype),
    ignoreIndex: readIgnoreIndex(ignoreIndex),
  };
}

export function readIgnoreIndex(ignoreIndex: unknown): number | undefined {
  if (ignoreIndex === undefined || Number.isSafeInteger(ignoreIndex))
    return ignoreIndex as number | undefined;
  const message = `ignoreIndex must be an integer, got ${formatValue(ignoreIndex)}`;
  throw typeError('ERR_OPTION', message, { argument: 'ignoreIndex', value: ignoreIndex });
}

function readGradOutput(gradOutput: unknown, dtype: DType | undefined): number | Numbers {
  if (typeof gradOutput === 'number') return gradOutput;
  if (isNumbers(gradOutput)) return readNumbers('gradOutput', gradOutput, 'ERR_OPTION', dtype);
  const message = `gradOutput must be a number or one per row, got ${formatValue(gradOutput)}`;
  throw typeError('ERR_OPTION', message, { argument: 'gradOutput', value: gradOutput });
}

/** A number in [0, 1]. */
export function readFraction(
  argument: 'labelSmoothing' | 'alpha',
  value: unknown,
  code: 'ERR_LABEL_SMOOTHING' | 'ERR_OPTION',
): number {
  if (typeof value !== 'number')
    throw typeError(code, `${argument} must be a number, got ${formatValue(value)}`, { argument, value });
  if (value >= 0 && value <= 1) return value;
  throw rangeError(code, `${argument} ${formatValue(value)} is outside [0, 1]`, { argument, value });
}

/** An output that is asked for by `true`, or the array that it goes to; undefined if it is not asked for. */
export function readWanted(
  argument: 'grad' | 'logProbs',
  given: unknown,
  logits: Operand,
  dtype: DType | undefined,
): GivenOutput | true | undefined {
  if (given === undefined || given === false) return undefined;
  return given === true ? true : readOutput(argument, given, logits, dtype);
}

/** The option `dtype` must go with the input even if nothing of that dtype is made. */
export function requireDTypeFamily(dtype: DType | undefined, { argument, operand }: Input): void {
  if (dtype !== undefined) requireFamily('dtype', dtype, argument, operand.dtype);
}

/** What a loss is computed from. */
export interface LossInputs {
  /** The outputs have its shape, and may be written over it. */
  readonly input: Input;
  /** Arrays that outputs must share nothing with. */
  readonly others: OutputUse['others'];
  readonly rowOptions: RowOptions;
  readonly lossOptions: ReadLossOptions;
}

/** Where a gradient or log-probabilities go. */
export function lossOutput(
  argument: 'grad' | 'logProbs',
  wanted: GivenOutput | true,
  { input, others, rowOptions, lossOptions }: LossInputs,
  { elements, shape }: RowProblem,
): Destination {
  if (wanted === true)
    return newDestination(argument, input.argument, input.operand, rowOptions.dtype, elements, shape);
  const destination = givenDestination(wanted, {
    inputs: [input],
    mayReplace: true,
    others,
    options: rowOptions,
    elements,
    shape,
    owner: input.argument,
  });
  const { weight, gradOutput } = lossOptions;
  requireShareNothing(wanted, 'weight', weight?.held);
  if (typeof gradOutput !== 'number') requireShareNothing(wanted, 'gradOutput', gradOutput.held);
  return destination;
}
