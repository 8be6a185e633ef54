import type { Input, Output } from './array-types.js';
import { requireLength } from './arrays.js';
import { requireFamily } from './dtypes.js';
import { rangeError } from './errors.js';
import type { DType, Elements, Kernels } from './kernels.js';
import {
  type DTypeOptions,
  type MaskOptions,
  type OutOptions,
  optionsOf,
  refuseOptions,
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
  requireShareNothing,
} from './outputs.js';
import { readRowOptions, rowProblem } from './rows.js';
import { inContainerOf, readOperand, shapeOf } from './tensors.js';

/** Options of softmaxBackward and logSoftmaxBackward. */
export interface BackwardOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/** Options of softmaxJacobian. */
export interface JacobianOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/** softmaxBackward and logSoftmaxBackward differ in nothing but their kernel. */
export function backwardFunction(fn: 'softmaxBackward' | 'logSoftmaxBackward', kernels: Kernels) {
  const kernel = kernels[fn];
  return (gradOutput: Input, output: Input, options?: BackwardOptions): unknown => {
    const given = optionsOf(fn, options);
    const { out: givenOut } = given;
    const rowOptions = readRowOptions(fn, given);
    const { dtype } = rowOptions;
    const gradient = readOperand(fn, 'gradOutput', gradOutput, dtype);
    const forward = readOperand(fn, 'output', output, dtype);
    const out = givenOut === undefined ? undefined : readOutput(fn, 'out', givenOut, gradient, dtype);

    requireFamily(fn, 'gradOutput', gradient.dtype, 'output', forward.dtype);
    const others = shapeOf(fn, 'gradOutput', gradient.tensor, rowOptions.sizes);
    const rows = rowProblem(fn, 'output', forward, rowOptions, false, others);
    requireLength(fn, 'gradOutput', gradient.data, rows.elements, 'output has');
    if (out !== undefined) {
      requireFit(fn, 'out', out, rows.elements, rows.shape, 'the result has');
      requireOutDType(fn, 'out', out, dtype, gradient);
      requireApart(fn, 'out', out, 'gradOutput', gradient);
      requireApart(fn, 'out', out, 'output', forward);
      requireApartFromOptions(fn, 'out', out, rowOptions);
    }
    const result: Elements = out ?? newOutput(fn, 'gradOutput', gradient, dtype, rows.elements);
    if (rows.elements > 0) kernel(gradient, forward, result, rows);
    return givenOut ?? inContainerOf(gradient, result, rows.shape);
  };
}

export function jacobianFunction(kernels: Kernels) {
  const fn = 'softmaxJacobian';
  return (output: Input, options?: JacobianOptions): unknown => {
    const given = optionsOf(fn, options);
    refuseOptions(fn, given, ['temperature', 'scale', 'mask']);
    const { out: givenOut, shape, axis, dtype: givenDType } = given;
    const rowOptions = readRowOptions(fn, { shape, axis, dtype: givenDType });
    const { dtype } = rowOptions;
    const forward = readOperand(fn, 'output', output, dtype);
    const out = givenOut === undefined ? undefined : readOutput(fn, 'out', givenOut, forward, dtype);

    const rows = rowProblem(fn, 'output', forward, rowOptions, false);
    const { rowCount, length } = rows;
    const sizes = rows.shape ?? [length];
    if (rows.axis !== sizes.length - 1) {
      const message = `axis ${axis} is not the last of ${sizes.length}, the only one that ${fn} works along`;
      throw rangeError('ERR_AXIS', message, { fn, argument: 'axis', value: axis });
    }
    const elements = rowCount * length * length;
    if (out !== undefined) {
      requireFit(fn, 'out', out, elements, [...sizes, length], 'the result has');
      requireOutDType(fn, 'out', out, dtype, forward);
      requireFamily(fn, 'out', out.dtype, 'output', forward.dtype);
      requireShareNothing(fn, 'out', out, 'output', forward.data);
    }
    const result: Elements = out ?? newOutput(fn, 'output', forward, dtype, elements);
    if (elements > 0) kernels.softmaxJacobian(forward, result, rowCount, length);
    return givenOut ?? inContainerOf(forward, result, [...sizes, length]);
  };
}
