// Operations that one kernel computes: from one or two arrays of rows to `out`.

import type { Step } from '../backends/jobs.js';
import type { BinaryRows, Elements, Kernel, Kernels, ScaledRows, UnaryRows } from '../backends/kernels.js';
import { rangeError } from '../errors.js';
import { type Call, costOf, type Memory } from '../problem/call.js';
import { requireFamily } from '../problem/dtypes.js';
import { withEmptyRow } from '../problem/empty-rows.js';
import { type KnownOptions, knownOptions, type OptionName } from '../problem/option-names.js';
import { copyOptions, copyUnscaledOptions, type GivenOptions, optionsOf } from '../problem/options.js';
import {
  type Destination,
  elementsOf,
  type GivenOutput,
  givenDestination,
  newDestination,
  newIntegers,
  type OutputUse,
  readIntegerOutput,
  readOutput,
  resultOf,
} from '../problem/outputs.js';
import {
  type RowOptions,
  type RowProblem,
  readRowOptions,
  requireFewClasses,
  rowProblem,
  shapeWithoutAxis,
} from '../problem/rows.js';
import { type Input, readOperand } from '../problem/tensors.js';
import { named, type Operation, type PublicFunction, type Signature } from './operation.js';

/** What row operations have in common, and what differs. */
interface Definition {
  readonly name: string;
  readonly result: Signature['result'];
  readonly holds?: 'int32';
  readonly hasLimits?: boolean;
  /**
   * How long an element of the input takes (of the output, if that is square), in elements of a softmax on the same
   * backend: what is computed at once, and slices in JavaScript. native/operations.h has what threads go by.
   */
  readonly cost?: number;
}

type General<Args extends unknown[]> = (...args: [...Args, given: GivenOptions]) => unknown;

export interface UnaryDefinition extends Definition {
  readonly input: string;
  /** In JavaScript; native code has the kernel by the operation's name. */
  readonly js: UnaryRows;
  /** The public function where common calls take a fast path (fast-path.ts) and leave all others to `general`. */
  readonly fast?: (kernels: Kernels, known: KnownOptions, general: General<[x: unknown]>) => PublicFunction;
}

export interface BinaryDefinition extends Definition {
  readonly inputs: readonly [string, string];
  readonly js: BinaryRows;
  /** What a row of the second input has that was empty in the forward function: nothing else. */
  readonly ofEmptyRow: number;
  readonly fast?: (
    kernels: Kernels,
    known: KnownOptions,
    general: General<[a: unknown, b: unknown]>,
  ) => PublicFunction;
}

/** A private copy of the options. */
function optionsFor({ result }: Row, options: unknown, known: KnownOptions): GivenOptions {
  const object = optionsOf(options, known);
  return result === 'square' ? copyUnscaledOptions(object) : copyOptions(object);
}

const scaling: readonly OptionName[] = ['temperature', 'scale', 'mask', 'emptyRow'];
const ofArrays: readonly OptionName[] = ['out', 'shape', 'axis', 'dtype'];
/** Options of what works on rows that are scaled and masked. */
export const rowOptionNames: readonly OptionName[] = [...ofArrays, ...scaling];

/** What reading and checking a call needs to know: the same fields for every operation. */
interface Row {
  readonly name: string;
  readonly result: Signature['result'];
  readonly holds: 'int32' | undefined;
  readonly mayReplace: boolean;
  readonly hasLimits: boolean;
  readonly cost: number;
}

function rowOf({ name, result, holds, hasLimits = false, cost = 1 }: Definition): Row {
  return { name, result, holds, mayReplace: result !== 'square' && holds === undefined, hasLimits, cost };
}

function signatureOf(
  { name, result, holds, mayReplace, hasLimits }: Row,
  inputs: readonly string[],
): Signature {
  const options = result === 'square' ? ofArrays : rowOptionNames;
  const signature: Signature = { name, inputs, target: 'none', options, result, mayReplace, hasLimits };
  return holds === undefined ? signature : { ...signature, holds };
}

/** Where the result goes, after all arguments have been read and the rows of the last input checked. */
function destinationOf(
  { name, result, holds, mayReplace }: Row,
  first: Input,
  second: Input | undefined,
  options: RowOptions,
  out: GivenOutput | undefined,
  rows: RowProblem,
): Destination {
  let { elements, shape } = rows;
  if (result === 'row') {
    elements = rows.rowCount;
    shape = shapeWithoutAxis(rows);
  } else if (result === 'square') {
    requireLastAxis(name, rows, options);
    elements *= rows.length;
    shape = [...(shape ?? [rows.length]), rows.length];
  }
  if (holds !== undefined) {
    requireFewClasses(first.argument, rows);
    if (options.dtype !== undefined)
      requireFamily('dtype', options.dtype, first.argument, first.operand.dtype);
  }
  if (out === undefined && holds !== undefined) return newIntegers('out', first.operand, elements, shape);
  if (out === undefined)
    return newDestination('out', first.argument, first.operand, options.dtype, elements, shape);
  return givenDestination(out, {
    inputs: second === undefined ? [first] : [first, second],
    mayReplace,
    others: none,
    options,
    elements,
    shape,
    owner: 'the result',
  });
}

const none: OutputUse['others'] = [];

function requireLastAxis(name: string, { shape, axis }: RowProblem, options: RowOptions): void {
  const axes = shape?.length ?? 1;
  if (axis === axes - 1) return;
  const message = `axis ${options.axis} is not the last of ${axes}, the only one that ${name} works along`;
  throw rangeError('ERR_AXIS', message, { argument: 'axis', value: options.axis });
}

/** What an asynchronous call of a kernel is planned with. */
function planOf(
  { cost, result, mayReplace }: Row,
  inputs: readonly Input[],
  rows: RowProblem,
  output: Destination,
  runIn: (memory: Memory) => (out: Elements, rows: ScaledRows) => unknown,
): Call {
  const isSquare = result === 'square';
  return {
    inputs,
    replaceable: mayReplace ? inputs.length : 0,
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
  const row = rowOf(definition);
  const signature = signatureOf(row, [argument]);
  const known = knownOptions(name, signature.options);
  const kernel = { name, js };
  /** Reads all arguments, then checks them, then where the result goes. */
  const read = (x: unknown, given: GivenOptions) => {
    const options = readRowOptions(given);
    const operand = readOperand(argument, x, options.dtype);
    const readOut = () =>
      row.holds ? readIntegerOutput('out', given.out) : readOutput('out', given.out, operand, options.dtype);
    const out = given.out === undefined ? undefined : readOut();
    const rows = withEmptyRow(
      rowProblem(argument, operand, options, row.hasLimits, undefined),
      operand,
      options,
    );
    const input: Input = { argument, operand };
    return { input, rows, output: destinationOf(row, input, undefined, options, out, rows) };
  };
  return {
    ...signature,
    kernel,
    bind(kernels: Kernels) {
      const run = kernels.unary(kernel);
      const general: General<[unknown]> = (x, given) => {
        const { input, rows, output } = read(x, given);
        const out = elementsOf(output);
        if (output.elements > 0) run(input.operand, out, rows);
        return resultOf(output, out);
      };
      return {
        call:
          fast?.(kernels, known.sync, general) ??
          named(name, (x, options) => general(x, optionsFor(row, options, known.sync))),
        plan([x, options]) {
          const { input, rows, output } = read(x, optionsFor(row, options, known.async));
          return planOf(row, [input], rows, output, (memory) => {
            const elements = memory.input(input.operand);
            return (out, some) => run(elements, out, some);
          });
        },
      };
    },
  };
}

export function binaryOperation(definition: BinaryDefinition): RowOperation<BinaryRows> {
  const { name, inputs, js, ofEmptyRow, fast } = definition;
  const [first, second] = inputs;
  const row = rowOf(definition);
  const signature = signatureOf(row, inputs);
  const known = knownOptions(name, signature.options);
  const kernel = { name, js };
  /** Reads all arguments, then checks them, then where the result goes. */
  const read = (a: unknown, b: unknown, givenOptions: GivenOptions) => {
    const options = readRowOptions(givenOptions);
    const { dtype } = options;
    const x: Input = { argument: first, operand: readOperand(first, a, dtype) };
    const y: Input = { argument: second, operand: readOperand(second, b, dtype) };
    const { out: givenOut } = givenOptions;
    const out = givenOut === undefined ? undefined : readOutput('out', givenOut, x.operand, dtype);
    requireFamily(first, x.operand.dtype, second, y.operand.dtype);
    const given = rowProblem(second, y.operand, options, row.hasLimits, x);
    const rows = withEmptyRow(given, y.operand, options, ofEmptyRow);
    return { x, y, rows, output: destinationOf(row, x, y, options, out, rows) };
  };
  return {
    ...signature,
    kernel,
    bind(kernels: Kernels) {
      const run = kernels.binary(kernel);
      const general: General<[unknown, unknown]> = (a, b, given) => {
        const { x, y, rows, output } = read(a, b, given);
        const out = elementsOf(output);
        if (output.elements > 0) run(x.operand, y.operand, out, rows);
        return resultOf(output, out);
      };
      return {
        call:
          fast?.(kernels, known.sync, general) ??
          named(name, (a, b, options) => general(a, b, optionsFor(row, options, known.sync))),
        plan([a, b, options]) {
          const { x, y, rows, output } = read(a, b, optionsFor(row, options, known.async));
          return planOf(row, [x, y], rows, output, (memory) => {
            const [ofX, ofY] = [memory.input(x.operand), memory.input(y.operand)];
            return (out, some) => run(ofX, ofY, out, some);
          });
        },
      };
    },
  };
}
