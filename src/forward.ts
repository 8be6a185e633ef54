import type { Input, Output } from './array-types.js';
import type { DType, Elements, Kernels } from './kernels.js';
import {
  type DTypeOptions,
  type MaskOptions,
  type OutOptions,
  optionsOf,
  type ScalingOptions,
  type ShapeOptions,
} from './options.js';
import {
  newOutput,
  readOutput,
  requireApart,
  requireApartFromOptions,
  requireFit,
  requireOutDType,
} from './outputs.js';
import { type RowOptions, readRowOptions, rowProblem, shapeWithoutAxis } from './rows.js';
import type { Sizes } from './shapes.js';
import { inContainerOf, type Operand, readOperand } from './tensors.js';

/** Options of softmax, logSoftmax and logSumExp. */
export interface ForwardOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/** The caller's array, or a new one; all that can be wrong with it has been looked at. */
function outputOf(
  fn: string,
  input: Operand,
  out: Operand | undefined,
  options: RowOptions,
  elements: number,
  shape: Sizes | undefined,
): Elements {
  if (out === undefined) return newOutput(fn, 'x', input, options.dtype, elements);
  requireFit(fn, 'out', out, elements, shape, 'the result has');
  requireOutDType(fn, 'out', out, options.dtype, input);
  requireApart(fn, 'out', out, 'x', input);
  requireApartFromOptions(fn, 'out', out, options);
  return out;
}

/** logSumExp drops the axis and has no limit at temperature 0; the three differ in nothing else but their kernel. */
export function forwardFunction(fn: 'softmax' | 'logSoftmax' | 'logSumExp', kernels: Kernels) {
  const kernel = kernels[fn];
  const hasAxis = fn !== 'logSumExp';
  return (x: Input, options?: ForwardOptions): unknown => {
    const given = optionsOf(fn, options);
    const { out: givenOut } = given;
    const rowOptions = readRowOptions(fn, given);
    const input = readOperand(fn, 'x', x, rowOptions.dtype);
    const out = givenOut === undefined ? undefined : readOutput(fn, 'out', givenOut, input, rowOptions.dtype);
    const rows = rowProblem(fn, 'x', input, rowOptions, hasAxis);
    const elements = hasAxis ? rows.elements : rows.rowCount;
    const shape = hasAxis ? rows.shape : shapeWithoutAxis(rows);
    const output = outputOf(fn, input, out, rowOptions, elements, shape);
    if (elements > 0) kernel(input, output, rows);
    return givenOut ?? inContainerOf(input, output, shape);
  };
}
