import { ElementMemory } from '../backends/element-memory.js';
import type { Step } from '../backends/jobs.js';
import { placeOf, rangeOf } from '../backends/js/rows.js';
import { canonical } from '../backends/js/scaling.js';
import type { GradLoss, RowRange } from '../backends/kernels.js';
import { type Call, callersMemory, compute, costOf, type Memory, type Work } from '../problem/call.js';
import { isEmpty } from '../problem/empty-rows.js';
import {
  type GivenLossOptions,
  type LossInputs,
  lossOutput,
  type ReadLossOptions,
  readLossOptions,
  readWanted,
  requireDTypeFamily,
} from '../problem/loss-options.js';
import { weightsOf } from '../problem/number-options.js';
import { type KnownOptions, knownOptions, type OptionName } from '../problem/option-names.js';
import { defaults, optionsOf } from '../problem/options.js';
import { type Destination, resultOf } from '../problem/outputs.js';
import { gradLossOf, lossByReduction, newLosses } from '../problem/reduction.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from '../problem/rows.js';
import { readTarget, type Target, targetOf } from '../problem/targets.js';
import { type Input, type Operand, readOperand } from '../problem/tensors.js';
import { named, type Operation } from './operation.js';

/** A call whose every argument has been checked. */
interface NllLossCall {
  readonly input: Operand;
  readonly rows: RowProblem;
  readonly lossOptions: ReadLossOptions;
  readonly checked: Target;
  readonly weight: Float64Array | undefined;
  readonly gradLoss: GradLoss;
  readonly grad: Destination | undefined;
}

const optionNames: readonly OptionName[] = [
  ...([
    'grad',
    'shape',
    'axis',
    'emptyRow',
    'dtype',
    'reduction',
    'emptyMean',
    'weight',
    'ignoreIndex',
  ] as const),
  'gradOutput',
];
const known = knownOptions('nllLoss', optionNames);

/** A private copy of the options, each read once. */
function copyOptions(options: unknown, known: KnownOptions): GivenLossOptions {
  const object = optionsOf(options, known);
  const {
    grad,
    shape,
    axis = defaults.axis,
    emptyRow,
    dtype,
    reduction,
    emptyMean,
    gradOutput = defaults.gradOutput,
    weight,
    ignoreIndex,
  } = object as Partial<GivenLossOptions>;
  const { temperature, scale } = defaults;
  const none = { logProbs: undefined, mask: undefined, labelSmoothing: 0, temperature, scale };
  const given = { ...none, grad, shape, axis, emptyRow, dtype };
  return { ...given, reduction, emptyMean, gradOutput, weight, ignoreIndex };
}

/** Reads everything, then checks everything. */
function read(logProbs: unknown, target: unknown, given: GivenLossOptions): NllLossCall {
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const lossOptions = readLossOptions(given, dtype);
  const input: Input = { argument: 'logProbs', operand: readOperand('logProbs', logProbs, dtype) };
  const { operand } = input;
  requireDTypeFamily(dtype, input);
  const givenTarget = readTarget(target, false);
  const wantedGrad = readWanted('grad', given.grad, operand, dtype);

  const rows = rowProblem(input.argument, input.operand, rowOptions, false);
  const weight = weightsOf(lossOptions.weight, rows);
  const checked = targetOf(givenTarget, input, rows, lossOptions.ignoreIndex, weight);
  if (rowOptions.zeroesEmpty) ignoreEmpty(rows, operand, checked.target as Int32Array);
  const gradLoss = gradLossOf(lossOptions, rows.rowCount, checked);
  const inputs: LossInputs = { input, others: [['target', givenTarget]], rowOptions, lossOptions };
  const grad = wantedGrad && lossOutput('grad', wantedGrad, inputs, rows);
  return { input: operand, rows, lossOptions, checked, weight, gradLoss, grad };
}

/** Rows of nothing but −Infinity have neither loss nor gradient, but count. */
function ignoreEmpty(rows: RowProblem, logProbs: Operand, classes: Int32Array): void {
  const memory = new ElementMemory(logProbs);
  for (let row = 0; row < rows.rowCount; row++)
    if ((classes[row] as number) >= 0 && isEmpty(rows, memory, row, Number.NEGATIVE_INFINITY))
      classes[row] = -1;
}

/** A class of weight 0 has no loss, even an infinite one. */
const weighted = (weight: number, logProb: number): number =>
  weight === 0 && logProb === Number.NEGATIVE_INFINITY ? 0 : weight * logProb;

/** One element per row is read: no kernel would be faster. */
interface NllLossProblem {
  readonly logProbs: ElementMemory;
  readonly classes: Int32Array;
  readonly weight: Float64Array | undefined;
  readonly loss: Float64Array;
  readonly gradLoss: GradLoss;
  readonly length: number;
  readonly inner: number;
}

const indexOf = (problem: NllLossProblem, row: number): number =>
  placeOf(problem, problem.length, row, problem.classes[row] as number);

const weightOf = ({ classes, weight }: NllLossProblem, row: number): number =>
  weight ? (weight[classes[row] as number] as number) : 1;

/** w · −logProb; 0 of rows that are ignored. */
function writeLosses(problem: NllLossProblem, { begin, end }: RowRange): void {
  const { logProbs, classes, loss } = problem;
  for (let row = begin; row < end; row++)
    loss[row] =
      (classes[row] as number) < 0
        ? 0
        : canonical(0 - weighted(weightOf(problem, row), logProbs.get(indexOf(problem, row))));
}

/** As many elements as the rows have, if not theirs. */
function clear({ length }: NllLossProblem, grad: ElementMemory, { begin, end }: RowRange): void {
  for (let i = begin * length; i < end * length; i++) grad.set(i, 0);
}

/** −w · gradLoss. */
function writeGradients(problem: NllLossProblem, grad: ElementMemory, { begin, end }: RowRange): void {
  const { classes, gradLoss } = problem;
  for (let row = begin; row < end; row++) {
    const g = typeof gradLoss === 'number' ? gradLoss : (gradLoss[row] as number);
    if ((classes[row] as number) >= 0)
      grad.set(indexOf(problem, row), canonical(0 - weightOf(problem, row) * g));
  }
}

/** The gradient may go over the log-probabilities: it comes after the last of them is read. */
function workOf(call: NllLossCall, memory: Memory, rows: RowProblem): Work {
  const { input, lossOptions, checked, weight, gradLoss } = call;
  const classes = checked.target as Int32Array;
  const loss = newLosses(rows.rowCount);
  const logProbs = new ElementMemory(memory.input(input));
  const gradElements = call.grad && memory.output(call.grad);
  const { length, inner } = rows;
  const problem: NllLossProblem = { logProbs, classes, weight, loss, gradLoss, length, inner };
  const steps: Step[] = [{ rows, run: (some) => writeLosses(problem, rangeOf(some)) }];
  if (gradElements) {
    const grad = new ElementMemory(gradElements);
    steps.push(
      { rows, run: (some) => clear(problem, grad, rangeOf(some)) },
      { rows, run: (some) => writeGradients(problem, grad, rangeOf(some)) },
    );
  }
  return {
    steps,
    result() {
      const result: Record<string, unknown> = {
        loss: lossByReduction(input, loss, lossOptions, checked.divisor, shapeWithoutAxis(rows)),
        count: checked.count,
      };
      if (call.grad && gradElements) result.grad = resultOf(call.grad, gradElements);
      return result;
    },
  };
}

function planOf(call: NllLossCall): Call {
  const { input, rows, grad } = call;
  return {
    inputs: [{ argument: 'logProbs', operand: input }],
    replaceable: 1,
    outputs: grad ? [grad] : [],
    rows,
    // Without a gradient an element per row is read, no more than of the classes: less than to copy all of them.
    cost: grad ? costOf(rows, 0.5) : 0,
    work: (memory, own) => workOf(call, memory, own),
  };
}

export const nllLoss: Operation = {
  name: 'nllLoss',
  inputs: ['logProbs'],
  target: 'classes',
  options: optionNames,
  result: 'rows',
  mayReplace: true,
  hasLimits: false,
  usesKernels: false,
  bind: () => ({
    call: named('nllLoss', (logProbs, target, options) => {
      const call = read(logProbs, target, copyOptions(options, known.sync));
      return compute(workOf(call, callersMemory, call.rows));
    }),
    plan: ([logProbs, target, options]) => planOf(read(logProbs, target, copyOptions(options, known.async))),
  }),
};
