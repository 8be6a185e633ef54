import type { Input, RowArray } from './array-types.js';
import { isSameMemory } from './arrays.js';
import { type CrossEntropyOptions, readOptions } from './cross-entropy-options.js';
import type { CrossEntropyProblem, DType, Kernels } from './kernels.js';
import {
  type LossInputs,
  type LossOutput,
  lossOutput,
  readWanted,
  requireDTypeFamily,
} from './loss-outputs.js';
import {
  type LossOf,
  type LossTarget,
  type ReadLossOptions,
  type Reduction,
  readFraction,
  readLossOptions,
  type Wanted,
  type WantedOf,
  weightsOf,
} from './losses.js';
import { requireShareNothing } from './outputs.js';
import { plainKernels } from './plain.js';
import { plainCrossEntropy } from './plain-cross-entropy.js';
import { gradLossOf, newRowResults, reducedLoss, rowResultsLike } from './reduction.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from './rows.js';
import { readTarget, type Target, targetOf } from './targets.js';
import { type Operand, readOperand } from './tensors.js';

/** What crossEntropy returns. */
export interface CrossEntropyResult<
  X extends Input = Input,
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  LogProbs extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> {
  /** One number (summed in float64 from the rows' losses), or one a row for reduction 'none'. */
  readonly loss: LossOf<X, R>;
  /** ∂loss/∂logits, of the logits' shape; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad: WantedOf<X, Grad, D>;
  /** log Σ exp(scale · logit / temperature), one a row, of ignored rows too. */
  readonly logSumExp: RowArray<X>;
  /** Rows that are not ignored. */
  readonly count: number;
  /** log-softmax of the logits, of their shape. Only if `logProbs` was given. */
  readonly logProbs: WantedOf<X, LogProbs, D>;
}

const fn = 'crossEntropy';

interface CrossEntropyCall {
  readonly input: Operand;
  readonly rows: RowProblem;
  readonly lossOptions: ReadLossOptions;
  readonly checked: Target;
  readonly problem: CrossEntropyProblem;
  readonly grad: LossOutput | undefined;
  readonly logProbs: LossOutput | undefined;
}

/** Reads everything, then checks everything. */
function readCall(logits: Input, target: LossTarget, options: CrossEntropyOptions): CrossEntropyCall {
  const { labelSmoothing: givenSmoothing = 0, grad: givenGrad, logProbs: givenLogProbs } = options;
  const rowOptions = readRowOptions(fn, options);
  const { dtype } = rowOptions;
  const lossOptions = readLossOptions(fn, options, dtype);
  const labelSmoothing = readFraction(fn, 'labelSmoothing', givenSmoothing, 'ERR_LABEL_SMOOTHING');
  const input = readOperand(fn, 'logits', logits, dtype);
  requireDTypeFamily(fn, dtype, 'logits', input);
  const givenTarget = readTarget(fn, target, true);
  const wantedGrad = readWanted(fn, 'grad', givenGrad, input, dtype);
  const wantedLogProbs = readWanted(fn, 'logProbs', givenLogProbs, input, dtype);

  const rows = rowProblem(fn, 'logits', input, rowOptions, false);
  const { rowCount } = rows;
  const weight = weightsOf(fn, lossOptions.weight, rows.length);
  const checked = targetOf(fn, givenTarget, 'logits', input, rows, lossOptions.ignoreIndex, weight);
  const gradLoss = gradLossOf(fn, lossOptions, rowCount, checked);
  const others = [['target', givenTarget.data]] as const;
  const inputs: LossInputs = { argument: 'logits', input, others, rowOptions, lossOptions };
  const grad = wantedGrad && lossOutput(fn, wantedGrad, inputs, rows);
  const logProbs = wantedLogProbs && lossOutput(fn, wantedLogProbs, inputs, rows);
  if (wantedGrad?.operand && wantedLogProbs?.operand)
    requireShareNothing(fn, 'logProbs', wantedLogProbs.operand, 'grad', wantedGrad.operand.data);
  const problem: CrossEntropyProblem = {
    logits: input,
    target: checked.target,
    weight,
    labelSmoothing,
    loss: newRowResults(fn, input, rowCount),
    logSumExp: newRowResults(fn, input, rowCount),
    grad: grad?.elements,
    gradLoss,
  };
  return { input, rows, lossOptions, checked, problem, grad, logProbs };
}

export function crossEntropyFunction(kernels: Kernels) {
  const plain = plainCrossEntropy(kernels.plain ?? plainKernels(kernels));
  return (logits: Input, target: LossTarget, options?: CrossEntropyOptions): unknown => {
    const given = readOptions(fn, options);
    const plainResult = plain(logits, target, given);
    if (plainResult !== undefined) return plainResult;
    const call = readCall(logits, target, given);
    const { input, rows, lossOptions, checked, problem, grad, logProbs } = call;
    const { loss, logSumExp } = problem;
    // Whichever is written over the logits comes last.
    const isGradLast = grad !== undefined && isSameMemory(grad.elements.data, input.data);
    if (logProbs && isGradLast && rows.elements > 0) kernels.logSoftmax(input, logProbs.elements, rows);
    if (rows.rowCount > 0) kernels.crossEntropy(problem, rows);
    if (logProbs && !isGradLast && rows.elements > 0) kernels.logSoftmax(input, logProbs.elements, rows);

    const shape = shapeWithoutAxis(rows);
    const result: Record<string, unknown> = {
      loss:
        lossOptions.reduction === 'none'
          ? rowResultsLike(input, loss, shape)
          : reducedLoss(loss, lossOptions, checked.divisor),
      logSumExp: rowResultsLike(input, logSumExp, shape),
      count: checked.count,
    };
    if (grad) result.grad = grad.result;
    if (logProbs) result.logProbs = logProbs.result;
    return result;
  };
}
