import type { Input, Output } from './array-types.js';
import { rawLengthOf, requireLength } from './arrays.js';
import { requireFamily } from './dtypes.js';
import { rangeError } from './errors.js';
import type { DType, Elements, Kernels } from './kernels.js';
import {
  type DTypeOptions,
  type GivenOptions,
  type MaskOptions,
  type OutOptions,
  optionsOf,
  readOptions,
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
import { Apart, isPlainInput, plainKernels, plainLength } from './plain.js';
import { type RowProblem, readRowOptions, rowProblem } from './rows.js';
import { inContainerOf, type Operand, readOperand, shapeOf } from './tensors.js';

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

/** A call that is ready for its kernel. */
interface BackwardCall {
  readonly gradient: Operand;
  readonly forward: Operand;
  readonly output: Elements;
  readonly rows: RowProblem;
  /** What the caller gets back. */
  readonly result: unknown;
}

function backwardCall(fn: string, gradOutput: Input, output: Input, options: GivenOptions): BackwardCall {
  const { out: givenOut } = options;
  const rowOptions = readRowOptions(fn, options);
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
  return {
    gradient,
    forward,
    output: result,
    rows,
    result: givenOut ?? inContainerOf(gradient, result, rows.shape),
  };
}

/** Each calls its kernels in lines of its own, as forwardFunctions says. */
export function backwardFunctions(kernels: Kernels) {
  const plain = kernels.plain ?? plainKernels(kernels);
  const ofSoftmax = { gradient: new Apart(), forward: new Apart() };
  const ofLogSoftmax = { gradient: new Apart(), forward: new Apart() };
  return {
    softmaxBackward(gradOutput: Input, output: Input, options?: BackwardOptions): unknown {
      const fn = 'softmaxBackward';
      const given = readOptions(fn, options);
      const length = plainLength(fn, given, given.out);
      const { out } = given;
      if (
        length > 0 &&
        isPlainInput(gradOutput, out, ofSoftmax.gradient) &&
        isPlainInput(output, out, ofSoftmax.forward)
      ) {
        const [g, p, result] = [gradOutput, output, out] as [Float32Array, Float32Array, Float32Array];
        plain.softmaxBackward(g, p, result, rawLengthOf(result), length);
        return result;
      }
      const call = backwardCall(fn, gradOutput, output, given);
      if (call.rows.elements > 0)
        kernels.softmaxBackward(call.gradient, call.forward, call.output, call.rows);
      return call.result;
    },

    logSoftmaxBackward(gradOutput: Input, output: Input, options?: BackwardOptions): unknown {
      const fn = 'logSoftmaxBackward';
      const given = readOptions(fn, options);
      const length = plainLength(fn, given, given.out);
      const { out } = given;
      if (
        length > 0 &&
        isPlainInput(gradOutput, out, ofLogSoftmax.gradient) &&
        isPlainInput(output, out, ofLogSoftmax.forward)
      ) {
        const [g, y, result] = [gradOutput, output, out] as [Float32Array, Float32Array, Float32Array];
        plain.logSoftmaxBackward(g, y, result, rawLengthOf(result), length);
        return result;
      }
      const call = backwardCall(fn, gradOutput, output, given);
      if (call.rows.elements > 0)
        kernels.logSoftmaxBackward(call.gradient, call.forward, call.output, call.rows);
      return call.result;
    },
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
