// Gradients and log-probabilities of losses: outputs that are asked for by `true` or by an array.

import type { DType } from '../backends/kernels.js';
import { requireFamily } from '../problem/dtypes.js';
import {
  type Destination,
  givenOutput,
  newOutput,
  readOutput,
  requireApart,
  requireApartFromOptions,
  requireFit,
  requireOutDType,
  requireShareNothing,
} from '../problem/outputs.js';
import type { RowOptions, RowProblem } from '../problem/rows.js';
import { type Operand, subjectOf } from '../problem/tensors.js';
import type { ReadLossOptions } from './losses.js';

export interface WantedOutput {
  readonly argument: 'grad' | 'logProbs';
  readonly given: unknown;
  /** Undefined: a new one. */
  readonly operand: Operand | undefined;
}

export function readWanted(
  fn: string,
  argument: 'grad' | 'logProbs',
  given: unknown,
  logits: Operand,
  dtype: DType | undefined,
): WantedOutput | undefined {
  if (given === undefined || given === null || given === false) return undefined;
  const operand = given === true ? undefined : readOutput(fn, argument, given, logits, dtype);
  return { argument, given, operand };
}

/** The option `dtype` must go with the input even if nothing of that dtype is made. */
export function requireDTypeFamily(
  fn: string,
  dtype: DType | undefined,
  inputArgument: string,
  input: Operand,
): void {
  if (dtype !== undefined) requireFamily(fn, 'dtype', dtype, inputArgument, input.dtype);
}

/** What a loss is computed from. */
export interface LossInputs {
  /** The argument that the outputs have the shape of, and may be written over. */
  readonly argument: string;
  readonly input: Operand;
  /** Arrays that outputs must share nothing with. */
  readonly others: readonly (readonly [argument: string, data: unknown])[];
  readonly rowOptions: RowOptions;
  readonly lossOptions: ReadLossOptions;
}

/** Where an output goes; all that can be wrong with it is looked at here. */
export function lossOutput(
  fn: string,
  { argument, given, operand }: WantedOutput,
  inputs: LossInputs,
  { elements, shape }: RowProblem,
): Destination {
  const { argument: inputArgument, input, others, rowOptions, lossOptions } = inputs;
  if (operand === undefined)
    return newOutput(fn, argument, inputArgument, input, rowOptions.dtype, elements, shape);
  requireFit(fn, argument, operand, elements, shape, subjectOf(inputArgument));
  requireOutDType(fn, argument, operand, rowOptions.dtype, input);
  requireApart(fn, argument, operand, inputArgument, input);
  for (const [other, data] of others) requireShareNothing(fn, argument, operand, other, data);
  requireApartFromOptions(fn, argument, operand, rowOptions);
  const { weight, gradOutput } = lossOptions;
  requireShareNothing(fn, argument, operand, 'weight', weight?.data);
  if (typeof gradOutput !== 'number')
    requireShareNothing(fn, argument, operand, 'gradOutput', gradOutput.data);
  return givenOutput(fn, argument, given, operand, elements, shape);
}
