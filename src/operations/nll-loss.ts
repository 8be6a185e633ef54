import type { IndexTarget, Input } from '../api/arrays.js';
import { callersMemory, compute, costOf, type Memory, type Step, type Work } from '../async/call-plan.js';
import { type AsyncOptions, type Engine, later } from '../async/run.js';
import { ElementMemory } from '../backends/element-memory.js';
import { jsJobs } from '../backends/js/jobs.js';
import { jsKernels } from '../backends/js/kernels.js';
import { rangeOf } from '../backends/js/rows.js';
import { canonical } from '../backends/js/scaling.js';
import type { DType, GradLoss, RowRange, RowResults } from '../backends/kernels.js';
import { optionsOf, refuseOptions } from '../problem/options.js';
import { type Destination, resultOf } from '../problem/outputs.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from '../problem/rows.js';
import { readTarget, type Target, targetOf } from '../problem/targets.js';
import { type Operand, readOperand } from '../problem/tensors.js';
import { type LossInputs, lossOutput, readWanted, requireDTypeFamily } from './loss-outputs.js';
import {
  type LossOf,
  type LossOptions,
  type ReadLossOptions,
  type Reduction,
  readLossOptions,
  type Wanted,
  type WantedOf,
  weightsOf,
} from './losses.js';
import { gradLossOf, newRowResults, reducedLoss, rowResultsLike } from './reduction.js';

/** Options of nllLoss. */
export interface NllLossOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends LossOptions<R, Grad, D> {}

/** What nllLoss returns. */
export interface NllLossResult<
  X extends Input = Input,
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> {
  /** One number (summed in float64 from the rows' losses), or one a row for reduction 'none'. */
  readonly loss: LossOf<X, R>;
  /** ∂loss/∂logProbs; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad: WantedOf<X, Grad, D>;
  /** Rows that are not ignored. */
  readonly count: number;
}

const fn = 'nllLoss';

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

/** Reads everything, then checks everything. */
function readCall(logProbs: Input, target: IndexTarget, options: NllLossOptions | undefined): NllLossCall {
  const given = optionsOf(fn, options);
  refuseOptions(fn, given, ['temperature', 'scale', 'mask', 'labelSmoothing']);
  const { shape, axis, dtype: givenDType, grad: givenGrad } = given;
  const rowOptions = readRowOptions(fn, { shape, axis, dtype: givenDType });
  const { dtype } = rowOptions;
  const lossOptions = readLossOptions(fn, given, dtype);
  const input = readOperand(fn, 'logProbs', logProbs, dtype);
  requireDTypeFamily(fn, dtype, 'logProbs', input);
  const givenTarget = readTarget(fn, target, false);
  const wantedGrad = readWanted(fn, 'grad', givenGrad, input, dtype);

  const rows = rowProblem(fn, 'logProbs', input, rowOptions, false);
  const weight = weightsOf(fn, lossOptions.weight, rows.length);
  const checked = targetOf(fn, givenTarget, 'logProbs', input, rows, lossOptions.ignoreIndex, weight);
  const gradLoss = gradLossOf(fn, lossOptions, rows.rowCount, checked);
  const others = [['target', givenTarget.data]] as const;
  const inputs: LossInputs = { argument: 'logProbs', input, others, rowOptions, lossOptions };
  const grad = wantedGrad && lossOutput(fn, wantedGrad, inputs, rows);
  return { input, rows, lossOptions, checked, weight, gradLoss, grad };
}

/** A class of weight 0 has no loss, even an infinite one. */
const weighted = (weight: number, logProb: number): number =>
  weight === 0 && logProb === Number.NEGATIVE_INFINITY ? 0 : weight * logProb;

/** One element a row is read: no kernel would be faster. */
interface NllLossProblem {
  readonly logProbs: ElementMemory;
  readonly classes: Int32Array;
  readonly weight: Float64Array | undefined;
  readonly loss: RowResults;
  readonly gradLoss: GradLoss;
  readonly length: number;
  readonly inner: number;
}

const indexOf = ({ classes, length, inner }: NllLossProblem, row: number): number => {
  const outer = Math.floor(row / inner);
  return (outer * length + (classes[row] as number)) * inner + (row - outer * inner);
};

const weightOf = ({ classes, weight }: NllLossProblem, row: number): number =>
  weight ? (weight[classes[row] as number] as number) : 1;

/** w · −logProb. */
function writeLosses(problem: NllLossProblem, { begin, end }: RowRange): void {
  const { logProbs, classes, loss } = problem;
  for (let row = begin; row < end; row++)
    if ((classes[row] as number) >= 0)
      loss[row] = canonical(0 - weighted(weightOf(problem, row), logProbs.get(indexOf(problem, row))));
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
  const loss = newRowResults(fn, input, rows.rowCount);
  const logProbs = new ElementMemory(memory.input(input));
  const gradElements = call.grad && memory.output(call.grad);
  const { length, inner } = rows;
  const problem: NllLossProblem = { logProbs, classes, weight, loss, gradLoss, length, inner };
  const steps: Step[] = [{ rows, run: (_kernels, some) => writeLosses(problem, rangeOf(some)) }];
  if (gradElements) {
    const grad = new ElementMemory(gradElements);
    steps.push(
      { rows, run: (_kernels, some) => clear(problem, grad, rangeOf(some)) },
      { rows, run: (_kernels, some) => writeGradients(problem, grad, rangeOf(some)) },
    );
  }
  return {
    steps,
    result() {
      const result: Record<string, unknown> = {
        loss:
          lossOptions.reduction === 'none'
            ? rowResultsLike(input, loss, shapeWithoutAxis(rows))
            : reducedLoss(loss, lossOptions, checked.divisor),
        count: checked.count,
      };
      if (call.grad && gradElements) result.grad = resultOf(call.grad, gradElements);
      return result;
    },
  };
}

/** No backend's: no kernel is called. */
const engine: Engine = { kernels: jsKernels, jobs: jsJobs };

export function nllLoss(logProbs: Input, target: IndexTarget, options?: NllLossOptions): unknown {
  const call = readCall(logProbs, target, options);
  return compute(engine.kernels, workOf(call, callersMemory, call.rows));
}

export const nllLossAsync = (
  logProbs: Input,
  target: IndexTarget,
  options?: NllLossOptions & AsyncOptions,
): Promise<unknown> =>
  later(engine, fn, options, () => {
    const call = readCall(logProbs, target, options);
    const { input, rows, grad } = call;
    return {
      fn,
      inputs: [{ argument: 'logProbs', operand: input }],
      replaceable: 1,
      outputs: grad ? [grad] : [],
      rows,
      // Without a gradient an element a row is read, no more than of the classes: less than to copy all of them.
      cost: grad ? costOf(rows, 0.5) : 0,
      work: (memory, own) => workOf(call, memory, own),
    };
  });
