import type { IndexTarget, Input } from './array-types.js';
import { ElementMemory } from './element-memory.js';
import { canonical } from './js/scaling.js';
import type { DType, Elements, GradLoss } from './kernels.js';
import { type LossInputs, lossOutput, readWanted, requireDTypeFamily } from './loss-outputs.js';
import {
  type LossOf,
  type LossOptions,
  type Reduction,
  readLossOptions,
  type Wanted,
  type WantedOf,
  weightsOf,
} from './losses.js';
import { optionsOf, refuseOptions } from './options.js';
import { gradLossOf, newRowResults, reducedLoss, rowResultsLike } from './reduction.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from './rows.js';
import { readTarget, targetOf } from './targets.js';
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

/**
 * The losses of rows by their class indices: w · −logProb, and where −w · gradLoss goes. One element a row is read: no
 * kernel would be faster.
 */
function computeRows(
  logProbs: Operand,
  classes: Int32Array,
  weight: Float64Array | undefined,
  { rowCount, length, inner }: RowProblem,
  gradLoss: GradLoss,
  grad: Elements | undefined,
): Float32Array | Float64Array {
  const loss = newRowResults(fn, logProbs, rowCount);
  const input = new ElementMemory(logProbs);
  const indexOf = (row: number): number => {
    const outer = Math.floor(row / inner);
    return (outer * length + (classes[row] as number)) * inner + (row - outer * inner);
  };
  const weightOf = (row: number) => (weight ? (weight[classes[row] as number] as number) : 1);
  // A class of weight 0 has no loss, even an infinite one.
  const weighted = (w: number, logProb: number) =>
    w === 0 && logProb === Number.NEGATIVE_INFINITY ? 0 : w * logProb;
  for (let row = 0; row < rowCount; row++)
    if ((classes[row] as number) >= 0)
      loss[row] = canonical(0 - weighted(weightOf(row), input.get(indexOf(row))));
  if (grad === undefined) return loss;
  // After the last log-probability is read: the gradient may go over them.
  const output = new ElementMemory(grad);
  for (let i = 0; i < rowCount * length; i++) output.set(i, 0);
  for (let row = 0; row < rowCount; row++) {
    const g = typeof gradLoss === 'number' ? gradLoss : (gradLoss[row] as number);
    if ((classes[row] as number) >= 0) output.set(indexOf(row), canonical(0 - weightOf(row) * g));
  }
  return loss;
}

export function nllLoss(logProbs: Input, target: IndexTarget, options?: NllLossOptions): unknown {
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

  const classes = checked.target as Int32Array;
  const loss = computeRows(input, classes, weight, rows, gradLoss, grad?.elements);
  const result: Record<string, unknown> = {
    loss:
      lossOptions.reduction === 'none'
        ? rowResultsLike(input, loss, shapeWithoutAxis(rows))
        : reducedLoss(loss, lossOptions, checked.divisor),
    count: checked.count,
  };
  if (grad) result.grad = grad.result;
  return result;
}
