import type { Input, Output } from '../api/arrays.js';
import { costOf, oneStepCall } from '../async/call-plan.js';
import { type AsyncOptions, type Engine, later } from '../async/run.js';
import type { DType, Elements, Kernels, ScaledRows } from '../backends/kernels.js';
import {
  type DTypeOptions,
  type GivenOptions,
  type MaskOptions,
  type OutOptions,
  readOptions,
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
  resultOf,
} from '../problem/outputs.js';
import {
  type RowOptions,
  type RowProblem,
  readRowOptions,
  rowProblem,
  shapeWithoutAxis,
} from '../problem/rows.js';
import type { Sizes } from '../problem/shapes.js';
import { type Operand, readOperand } from '../problem/tensors.js';
import { rawLengthOf } from '../typed-arrays.js';
import { Apart, isPlainInput, plainLength } from './fast-path.js';

/** Options of softmax, logSoftmax and logSumExp. */
export interface ForwardOptions<
  Out extends Output | undefined = Output | undefined,
  D extends DType | undefined = DType | undefined,
> extends ShapeOptions,
    ScalingOptions,
    MaskOptions,
    DTypeOptions<D>,
    OutOptions<Out> {}

/** The caller's array, or a new one. */
function outputOf(
  fn: string,
  input: Operand,
  given: unknown,
  out: Operand | undefined,
  options: RowOptions,
  elements: number,
  shape: Sizes | undefined,
): Destination {
  if (out === undefined) return newOutput(fn, 'out', 'x', input, options.dtype, elements, shape);
  requireFit(fn, 'out', out, elements, shape, 'the result has');
  requireOutDType(fn, 'out', out, options.dtype, input);
  requireApart(fn, 'out', out, 'x', input);
  requireApartFromOptions(fn, 'out', out, options);
  return givenOutput(fn, 'out', given, out, elements, shape);
}

/** A call that is ready for its kernel. */
interface ForwardCall {
  readonly input: Operand;
  readonly output: Destination;
  readonly rows: RowProblem;
}

/** logSumExp drops the axis and has no limit at temperature 0. */
function forwardCall(fn: string, x: Input, options: GivenOptions, hasAxis: boolean): ForwardCall {
  const { out: givenOut } = options;
  const rowOptions = readRowOptions(fn, options);
  const input = readOperand(fn, 'x', x, rowOptions.dtype);
  const out = givenOut === undefined ? undefined : readOutput(fn, 'out', givenOut, input, rowOptions.dtype);
  const rows = rowProblem(fn, 'x', input, rowOptions, hasAxis);
  const elements = hasAxis ? rows.elements : rows.rowCount;
  const shape = hasAxis ? rows.shape : shapeWithoutAxis(rows);
  const output = outputOf(fn, input, givenOut, out, rowOptions, elements, shape);
  return { input, output, rows };
}

/** Each calls its kernels in lines of its own: an engine calls what it finds to be always the same directly. */
export function forwardFunctions(kernels: Kernels) {
  const { plain } = kernels;
  const softmaxArrays = new Apart();
  const logSoftmaxArrays = new Apart();
  return {
    softmax(x: Input, options?: ForwardOptions): unknown {
      const given = readOptions('softmax', options);
      const length = plainLength('softmax', given, given.out);
      if (length > 0 && isPlainInput(x, given.out, softmaxArrays)) {
        const out = given.out as Float32Array;
        plain.softmax(x as Float32Array, out, rawLengthOf(out), length);
        return out;
      }
      const { input, output, rows } = forwardCall('softmax', x, given, true);
      const elements = elementsOf(output);
      if (rows.elements > 0) kernels.softmax(input, elements, rows);
      return resultOf(output, elements);
    },

    logSoftmax(x: Input, options?: ForwardOptions): unknown {
      const given = readOptions('logSoftmax', options);
      const length = plainLength('logSoftmax', given, given.out);
      if (length > 0 && isPlainInput(x, given.out, logSoftmaxArrays)) {
        const out = given.out as Float32Array;
        plain.logSoftmax(x as Float32Array, out, rawLengthOf(out), length);
        return out;
      }
      const { input, output, rows } = forwardCall('logSoftmax', x, given, true);
      const elements = elementsOf(output);
      if (rows.elements > 0) kernels.logSoftmax(input, elements, rows);
      return resultOf(output, elements);
    },

    logSumExp(x: Input, options?: ForwardOptions): unknown {
      const given = readOptions('logSumExp', options);
      const { input, output, rows } = forwardCall('logSumExp', x, given, false);
      const elements = elementsOf(output);
      if (rows.rowCount > 0) kernels.logSumExp(input, elements, rows);
      return resultOf(output, elements);
    },
  };
}

type ForwardKernel = (kernels: Kernels, x: Elements, out: Elements, rows: ScaledRows) => unknown;

export function asyncForwardFunctions(engine: Engine) {
  const twin = (fn: string, hasAxis: boolean, kernel: ForwardKernel) => {
    return (x: Input, options?: ForwardOptions & AsyncOptions): Promise<unknown> =>
      later(engine, fn, options, () => {
        const { input, output, rows } = forwardCall(fn, x, readOptions(fn, options), hasAxis);
        const inputs = [{ argument: 'x', operand: input }] as const;
        const parts = { fn, inputs, replaceable: 1, rows, cost: costOf(rows, 1) };
        return oneStepCall(parts, output, (kernels, [given], out, some) => kernel(kernels, given, out, some));
      });
  };
  return {
    softmaxAsync: twin('softmax', true, (kernels, x, out, rows) => kernels.softmax(x, out, rows)),
    logSoftmaxAsync: twin('logSoftmax', true, (kernels, x, out, rows) => kernels.logSoftmax(x, out, rows)),
    logSumExpAsync: twin('logSumExp', false, (kernels, x, out, rows) => kernels.logSumExp(x, out, rows)),
  };
}
