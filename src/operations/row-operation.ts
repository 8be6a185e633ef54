// Operations that one kernel computes: from one or two arrays of rows to `out`.

import type { Step } from '../backends/jobs.js';
import type {
  BinaryRows,
  Elements,
  Kernel,
  Kernels,
  PlainKernels,
  ScaledRows,
  UnaryRows,
} from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { type Call, costOf, type Memory } from '../problem/call.js';
import { requireFamily } from '../problem/dtypes.js';
import { copyOptions, defaults, type GivenOptions, refuseOptions } from '../problem/options.js';
import {
  type Destination,
  destinationOf,
  elementsOf,
  type OutputUse,
  readOutput,
  resultOf,
  type WantedOutput,
} from '../problem/outputs.js';
import {
  type RowOptions,
  type RowProblem,
  readRowOptions,
  rowProblem,
  shapeWithoutAxis,
} from '../problem/rows.js';
import type { Sizes } from '../problem/shapes.js';
import { type Input, readOperand } from '../problem/tensors.js';
import { named, type Operation, type OptionName, type PublicFunction, type Signature } from './operation.js';

/** What row operations have in common, and what differs. */
interface Definition {
  readonly name: string;
  readonly result: Signature['result'];
  readonly hasLimits?: boolean;
  /** How long an element of the output takes, in elements of a softmax. */
  readonly cost?: number;
}

type General<Args extends unknown[]> = (...args: [...Args, given: GivenOptions]) => unknown;

export interface UnaryDefinition extends Definition {
  readonly input: string;
  /** In JavaScript; native code has the kernel by the operation's name. */
  readonly js: UnaryRows;
  /** The public function where common calls take a fast path (fast-path.ts) and leave all others to `general`. */
  readonly fast?: (plain: PlainKernels, general: General<[x: unknown]>) => PublicFunction;
}

export interface BinaryDefinition extends Definition {
  readonly inputs: readonly [string, string];
  readonly js: BinaryRows;
  readonly fast?: (plain: PlainKernels, general: General<[a: unknown, b: unknown]>) => PublicFunction;
}

const scaling: readonly OptionName[] = ['temperature', 'scale', 'mask'];
const ofArrays: readonly OptionName[] = ['out', 'shape', 'axis', 'dtype'];

function signatureOf(definition: Definition, inputs: readonly string[]): Signature {
  const { name, result, hasLimits = false } = definition;
  const isSquare = result === 'square';
  const options = isSquare ? ofArrays : [...ofArrays, ...scaling];
  return { name, inputs, target: 'none', options, result, mayReplace: !isSquare, hasLimits };
}

/** A private copy of the options; those that scale or mask are refused where there are none. */
function optionsOf({ name, result }: Definition, options: unknown): GivenOptions {
  if (result !== 'square') return copyOptions(options);
  refuseOptions(name, options, scaling);
  const { temperature, scale } = defaults;
  return { ...copyOptions(options), temperature, scale, mask: undefined };
}

/** A call that is ready for its kernel. */
interface RowCall {
  readonly rows: RowProblem;
  readonly output: Destination;
}

/** The checks between all arguments, which have been read: rows of the last input, then where the result goes. */
function checked(
  { name, result, hasLimits }: Definition,
  inputs: readonly [Input] | readonly [Input, Input],
  options: RowOptions,
  out: WantedOutput,
): RowCall {
  const [first, second] = inputs;
  const isPair = second !== undefined;
  const rows = rowProblem(isPair ? second : first, options, hasLimits === true, isPair ? first : undefined);
  const isSquare = result === 'square';
  if (isSquare) requireLastAxis(name, rows, options);
  const output = destinationOf(out, {
    inputs,
    options,
    mayReplace: !isSquare,
    others: none,
    elements: result === 'row' ? rows.rowCount : isSquare ? rows.elements * rows.length : rows.elements,
    shape: result === 'row' ? shapeWithoutAxis(rows) : isSquare ? squareShape(rows) : rows.shape,
    subject: 'the result has',
  });
  return { rows, output };
}

const none: OutputUse['others'] = [];

const squareShape = ({ shape, length }: RowProblem): Sizes => [...(shape ?? [length]), length];

function requireLastAxis(name: string, { shape, axis }: RowProblem, options: RowOptions): void {
  const axes = shape?.length ?? 1;
  if (axis === axes - 1) return;
  const message = `axis ${options.axis} is not the last of ${axes}, the only one that ${name} works along`;
  throw rangeError('ERR_AXIS', message, { argument: 'axis', value: options.axis });
}

/** What an asynchronous call of a kernel is planned with. */
function planOf(
  { cost = 1, result }: Definition,
  inputs: readonly Input[],
  { rows, output }: RowCall,
  runIn: (memory: Memory) => (out: Elements, rows: ScaledRows) => unknown,
): Call {
  const isSquare = result === 'square';
  return {
    inputs,
    replaceable: isSquare ? 0 : inputs.length,
    outputs: [output],
    rows,
    cost: isSquare ? cost * output.elements : costOf(rows, cost),
    work(memory, own) {
      const run = runIn(memory);
      const out = memory.output(output);
      const step: Step = { rows: own, run: (some) => run(out, some) };
      return { steps: output.elements > 0 ? [step] : [], result: () => resultOf(output, out) };
    },
  };
}

/** An operation whose kernel others may use, too. */
export interface RowOperation<Run> extends Operation {
  readonly kernel: Kernel<Run>;
}

export function unaryOperation(definition: UnaryDefinition): RowOperation<UnaryRows> {
  const { name, input: argument, js, fast } = definition;
  const kernel = { name, js };
  const read = (x: unknown, given: GivenOptions) => {
    const options = readRowOptions(given);
    const input: Input = { argument, operand: readOperand(argument, x, options.dtype) };
    const out = readOutput('out', given.out, input.operand, options.dtype);
    return { input, call: checked(definition, [input], options, out) };
  };
  return {
    ...signatureOf(definition, [argument]),
    kernel,
    bind(kernels: Kernels) {
      const run = kernels.unary(kernel);
      const general: General<[unknown]> = (x, given) => {
        const { input, call } = read(x, given);
        const out = elementsOf(call.output);
        if (call.output.elements > 0) run(input.operand, out, call.rows);
        return resultOf(call.output, out);
      };
      return {
        call:
          fast?.(kernels.plain, general) ??
          named(name, (x, options) => general(x, optionsOf(definition, options))),
        plan([x, options]) {
          const { input, call } = read(x, optionsOf(definition, options));
          return planOf(definition, [input], call, (memory) => {
            const elements = memory.input(input.operand);
            return (out, rows) => run(elements, out, rows);
          });
        },
      };
    },
  };
}

export function binaryOperation(definition: BinaryDefinition): RowOperation<BinaryRows> {
  const { name, inputs: arguments_, js, fast } = definition;
  const kernel = { name, js };
  const read = (a: unknown, b: unknown, given: GivenOptions) => {
    const options = readRowOptions(given);
    const [first, second] = arguments_;
    const x: Input = { argument: first, operand: readOperand(first, a, options.dtype) };
    const y: Input = { argument: second, operand: readOperand(second, b, options.dtype) };
    const out = readOutput('out', given.out, x.operand, options.dtype);
    requireFamily(first, x.operand.dtype, second, y.operand.dtype);
    return { x, y, call: checked(definition, [x, y], options, out) };
  };
  return {
    ...signatureOf(definition, arguments_),
    kernel,
    bind(kernels: Kernels) {
      const run = kernels.binary(kernel);
      const general: General<[unknown, unknown]> = (a, b, given) => {
        const { x, y, call } = read(a, b, given);
        const out = elementsOf(call.output);
        if (call.output.elements > 0) run(x.operand, y.operand, out, call.rows);
        return resultOf(call.output, out);
      };
      return {
        call:
          fast?.(kernels.plain, general) ??
          named(name, (a, b, options) => general(a, b, optionsOf(definition, options))),
        plan([a, b, options]) {
          const { x, y, call } = read(a, b, optionsOf(definition, options));
          return planOf(definition, [x, y], call, (memory) => {
            const [ofX, ofY] = [memory.input(x.operand), memory.input(y.operand)];
            return (out, rows) => run(ofX, ofY, out, rows);
          });
        },
      };
    },
  };
}
