import type { IndexTarget, Input } from './array-types.js';
import { type AsyncOptions, type Engine, later } from './async.js';
import { callersMemory, compute, costOf, type Memory, type Step, type Work } from './calls.js';
import { ElementMemory } from './element-memory.js';
import { jsJobs } from './js/jobs.js';
import { jsKernels } from './js/kernels.js';
import { rangeOf } from './js/rows.js';
import { canonical } from './js/scaling.js';
import type { DType, GradLoss, Rows } from './kernels.js';
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
import { optionsOf, refuseOptions } from './options.js';
import { type Destination, resultOf } from './outputs.js';
import { gradLossOf, newRowResults, reducedLoss, rowResultsLike } from './reduction.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from './rows.js';
import { readTarget, type Target, targetOf } from './targets.js';
import { type Operand, readOperand } from './tensors.js';

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

/** Where the target of each row is, and its weight. */
class TargetElements {
  readonly #classes: Int32Array;
  readonly #weight: Float64Array | undefined;
  readonly #rows: Rows;

  constructor(classes: Int32Array, weight: Float64Array | undefined, rows: Rows) {
    this.#classes = classes;
    this.#weight = weight;
    this.#rows = rows;
  }

  isIgnored(row: number): boolean {
    return (this.#classes[row] as number) < 0;
  }

  indexOf(row: number): number {
    const { length, inner } = this.#rows;
    const outer = Math.floor(row / inner);
    return (outer * length + (this.#classes[row] as number)) * inner + (row - outer * inner);
  }

  weightOf(row: number): number {
    return this.#weight ? (this.#weight[this.#classes[row] as number] as number) : 1;
  }
}

/** A class of weight 0 has no loss, even an infinite one. */
const weighted = (weight: number, logProb: number): number =>
  weight === 0 && logProb === Number.NEGATIVE_INFINITY ? 0 : weight * logProb;

/**
 * w · −logProb, and where −w · gradLoss goes. One element a row is read: no kernel would be faster. The gradient may go
 * over the log-probabilities: it comes after the last of them is read.
 */
function workOf(call: NllLossCall, memory: Memory, rows: RowProblem): Work {
  const { input, lossOptions, checked, weight, gradLoss } = call;
  const loss = newRowResults(fn, input, rows.rowCount);
  const logProbs = new ElementMemory(memory.input(input));
  const gradElements = call.grad && memory.output(call.grad);
  const target = new TargetElements(checked.target as Int32Array, weight, rows);
  const steps: Step[] = [
    over(rows, (begin, end) => {
      for (let row = begin; row < end; row++)
        if (!target.isIgnored(row))
          loss[row] = canonical(0 - weighted(target.weightOf(row), logProbs.get(target.indexOf(row))));
    }),
  ];
  if (gradElements) {
    const grad = new ElementMemory(gradElements);
    const { length } = rows;
    const clear = over(rows, (begin, end) => {
      for (let i = begin * length; i < end * length; i++) grad.set(i, 0);
    });
    const set = over(rows, (begin, end) => {
      for (let row = begin; row < end; row++) {
        const g = typeof gradLoss === 'number' ? gradLoss : (gradLoss[row] as number);
        if (!target.isIgnored(row)) grad.set(target.indexOf(row), canonical(0 - target.weightOf(row) * g));
      }
    });
    steps.push(clear, set);
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

/** A step that does for some rows what `run` does for those of a range. */
const over = (rows: RowProblem, run: (begin: number, end: number) => void): Step => ({
  rows,
  run: (_kernels, some) => {
    const { begin, end } = rangeOf(some);
    run(begin, end);
  },
});

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
      cost: costOf(rows, grad ? 0.5 : 0),
      work: (memory, own) => workOf(call, memory, own),
    };
  });
