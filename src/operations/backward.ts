import type { Input, Output } from '../api/arrays.js';
import { costOf, oneStepCall } from '../async/call-plan.js';
import { type AsyncOptions, type Engine, later } from '../async/run.js';
import type { DType, Elements, Kernels, ScaledRows } from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { requireFamily } from '../problem/dtypes.js';
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
} from '../problem/options.js';
import {
  type Destination,
  elementsOf,
  givenOutput,
  newOutput,
  readOutput,
  requireApart,
  requireApartFromOptions,
  requireFit,
  requireOutDType,
  requireShareNothing,
  resultOf,
} from '../problem/outputs.js';
import { type RowProblem, readRowOptions, rowProblem } from '../problem/rows.js';
import { type Operand, readOperand, shapeOf } from '../problem/tensors.js';
import { rawLengthOf, requireLength } from '../typed-arrays.js';
import { Apart, isPlainInput, plainLength } from './fast-path.js';

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
  readonly output: Destination;
  readonly rows: RowProblem;
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
  const { elements, shape } = rows;
  if (out === undefined) {
    const result = newOutput(fn, 'out', 'gradOutput', gradient, dtype, elements, shape);
    return { gradient, forward, output: result, rows };
  }
  requireFit(fn, 'out', out, elements, shape, 'the result has');
  requireOutDType(fn, 'out', out, dtype, gradient);
  requireApart(fn, 'out', out, 'gradOutput', gradient);
  requireApart(fn, 'out', out, 'output', forward);
  requireApartFromOptions(fn, 'out', out, rowOptions);
  return { gradient, forward, output: givenOutput(fn, 'out', givenOut, out, elements, shape), rows };
}

/** Each calls its kernels in lines of its own, as forwardFunctions says. */
export function backwardFunctions(kernels: Kernels) {
  const { plain } = kernels;
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
      const elements = elementsOf(call.output);
      if (call.rows.elements > 0) kernels.softmaxBackward(call.gradient, call.forward, elements, call.rows);
      return resultOf(call.output, elements);
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
      const elements = elementsOf(call.output);
      if (call.rows.elements > 0)
        kernels.logSoftmaxBackward(call.gradient, call.forward, elements, call.rows);
      return resultOf(call.output, elements);
    },
  };
}

type BackwardKernel = (
  kernels: Kernels,
  gradOutput: Elements,
  output: Elements,
  out: Elements,
  rows: ScaledRows,
) => unknown;

export function asyncBackwardFunctions(engine: Engine) {
  const twin = (fn: string, kernel: BackwardKernel) => {
    return (gradOutput: Input, output: Input, options?: BackwardOptions & AsyncOptions): Promise<unknown> =>
      later(engine, fn, options, () => {
        const call = backwardCall(fn, gradOutput, output, readOptions(fn, options));
        const inputs = [
          { argument: 'gradOutput', operand: call.gradient },
          { argument: 'output', operand: call.forward },
        ] as const;
        const parts = { fn, inputs, replaceable: 2, rows: call.rows, cost: costOf(call.rows, 1) };
        return oneStepCall(parts, call.output, (kernels, [g, y], out, rows) =>
          kernel(kernels, g, y, out, rows),
        );
      });
  };
  return {
    softmaxBackwardAsync: twin('softmaxBackward', (kernels, g, p, out, rows) =>
      kernels.softmaxBackward(g, p, out, rows),
    ),
    logSoftmaxBackwardAsync: twin('logSoftmaxBackward', (kernels, g, y, out, rows) =>
      kernels.logSoftmaxBackward(g, y, out, rows),
    ),
  };
}

/** A call of softmaxJacobian that is ready for its kernel. */
interface JacobianCall {
  readonly forward: Operand;
  readonly output: Destination;
  readonly rows: RowProblem;
}

function jacobianCall(output: Input, options: JacobianOptions | undefined): JacobianCall {
  const fn = 'softmaxJacobian';
  const given = optionsOf(fn, options);
  refuseOptions(fn, given, ['temperature', 'scale', 'mask']);
  const { out: givenOut, shape, axis, dtype: givenDType } = given;
  const rowOptions = readRowOptions(fn, { shape, axis, dtype: givenDType });
  const { dtype } = rowOptions;
  const forward = readOperand(fn, 'output', output, dtype);
  const out = givenOut === undefined ? undefined : readOutput(fn, 'out', givenOut, forward, dtype);

  const rows = rowProblem(fn, 'output', forward, rowOptions, false);
  const { length } = rows;
  const sizes = rows.shape ?? [length];
  if (rows.axis !== sizes.length - 1) {
    const message = `axis ${axis} is not the last of ${sizes.length}, the only one that ${fn} works along`;
    throw rangeError('ERR_AXIS', message, { fn, argument: 'axis', value: axis });
  }
  const elements = rows.elements * length;
  const square = [...sizes, length];
  if (out === undefined)
    return { forward, output: newOutput(fn, 'out', 'output', forward, dtype, elements, square), rows };
  requireFit(fn, 'out', out, elements, square, 'the result has');
  requireOutDType(fn, 'out', out, dtype, forward);
  requireFamily(fn, 'out', out.dtype, 'output', forward.dtype);
  requireShareNothing(fn, 'out', out, 'output', forward.data);
  return { forward, output: givenOutput(fn, 'out', givenOut, out, elements, square), rows };
}

export function jacobianFunction(kernels: Kernels) {
  return (output: Input, options?: JacobianOptions): unknown => {
    const { forward, output: result, rows } = jacobianCall(output, options);
    const elements = elementsOf(result);
    if (result.elements > 0) kernels.softmaxJacobian(forward, elements, rows);
    return resultOf(result, elements);
  };
}

export function asyncJacobianFunction(engine: Engine) {
  const fn = 'softmaxJacobian';
  return (output: Input, options?: JacobianOptions & AsyncOptions): Promise<unknown> =>
    later(engine, fn, options, () => {
      const { forward, output: result, rows } = jacobianCall(output, options);
      const inputs = [{ argument: 'output', operand: forward }] as const;
      const parts = { fn, inputs, replaceable: 0, rows, cost: result.elements };
      return oneStepCall(parts, result, (kernels, [p], out, some) => kernels.softmaxJacobian(p, out, some));
    });
}
