import type { Input, RowArray } from '../api/arrays.js';
import { callersMemory, compute, costOf, type Memory, type Step, type Work } from '../async/call-plan.js';
import { type AsyncOptions, type Engine, later } from '../async/run.js';
import type { CrossEntropyProblem, DType, GradLoss, Kernels } from '../backends/kernels.js';
import { type Destination, requireShareNothing, resultOf } from '../problem/outputs.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from '../problem/rows.js';
import { probabilitiesOf, readTarget, type Target, targetOf } from '../problem/targets.js';
import { type Operand, readOperand } from '../problem/tensors.js';
import { isSameMemory } from '../typed-arrays.js';
import { type CrossEntropyOptions, readOptions } from './cross-entropy-options.js';
import { plainCrossEntropy } from './fast-cross-entropy.js';
import { type LossInputs, lossOutput, readWanted, requireDTypeFamily } from './loss-outputs.js';
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
import { gradLossOf, newRowResults, reducedLoss, rowResultsLike } from './reduction.js';

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

/** A call whose every argument has been checked. */
interface CrossEntropyCall {
  readonly input: Operand;
  readonly rows: RowProblem;
  readonly lossOptions: ReadLossOptions;
  readonly checked: Target;
  readonly weight: Float64Array | undefined;
  readonly labelSmoothing: number;
  readonly gradLoss: GradLoss;
  readonly grad: Destination | undefined;
  readonly logProbs: Destination | undefined;
}

/** Reads everything, then checks everything. */
function readCall(logits: Input, target: LossTarget, options: CrossEntropyOptions): CrossEntropyCall {
  const { labelSmoothing: givenSmoothing, grad: givenGrad, logProbs: givenLogProbs } = options;
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
  return { input, rows, lossOptions, checked, weight, labelSmoothing, gradLoss, grad, logProbs };
}

function workOf(call: CrossEntropyCall, memory: Memory, rows: RowProblem): Work {
  const { input, lossOptions, checked, weight, labelSmoothing, gradLoss } = call;
  const { target } = checked;
  const logits = memory.input(input);
  const grad = call.grad && memory.output(call.grad);
  const logProbs = call.logProbs && memory.output(call.logProbs);
  const problem: CrossEntropyProblem = {
    logits,
    target: target instanceof Int32Array ? target : memory.input(target),
    weight,
    labelSmoothing,
    loss: newRowResults(fn, input, rows.rowCount),
    logSumExp: newRowResults(fn, input, rows.rowCount),
    grad,
    gradLoss,
  };
  const steps: Step[] = [];
  if (rows.rowCount > 0) steps.push({ rows, run: (kernels, some) => kernels.crossEntropy(problem, some) });
  if (logProbs && rows.elements > 0) {
    const step: Step = { rows, run: (kernels, some) => kernels.logSoftmax(logits, logProbs, some) };
    // Whichever is written over the logits comes last.
    if (grad && isSameMemory(grad.data, logits.data)) steps.unshift(step);
    else steps.push(step);
  }
  return {
    steps,
    result() {
      const { loss, logSumExp } = problem;
      const shape = shapeWithoutAxis(rows);
      const result: Record<string, unknown> = {
        loss:
          lossOptions.reduction === 'none'
            ? rowResultsLike(input, loss, shape)
            : reducedLoss(loss, lossOptions, checked.divisor),
        logSumExp: rowResultsLike(input, logSumExp, shape),
        count: checked.count,
      };
      if (call.grad && grad) result.grad = resultOf(call.grad, grad);
      if (call.logProbs && logProbs) result.logProbs = resultOf(call.logProbs, logProbs);
      return result;
    },
  };
}

export function crossEntropyFunction(kernels: Kernels) {
  const plain = plainCrossEntropy(kernels.plain);
  return (logits: Input, target: LossTarget, options?: CrossEntropyOptions): unknown => {
    const given = readOptions(fn, options);
    const plainResult = plain(logits, target, given);
    if (plainResult !== undefined) return plainResult;
    const call = readCall(logits, target, given);
    return compute(kernels, workOf(call, callersMemory, call.rows));
  };
}

export function asyncCrossEntropyFunction(engine: Engine) {
  return (
    logits: Input,
    target: LossTarget,
    options?: CrossEntropyOptions & AsyncOptions,
  ): Promise<unknown> =>
    later(engine, fn, options, () => {
      const call = readCall(logits, target, readOptions(fn, options));
      const { input, rows, checked, labelSmoothing, grad, logProbs } = call;
      const inputs = [{ argument: 'logits', operand: input }, ...probabilitiesOf(checked)];
      const isSimple = inputs.length === 1 && labelSmoothing === 0;
      return {
        fn,
        inputs,
        replaceable: 1,
        outputs: [grad, logProbs].filter((output) => output !== undefined),
        rows,
        cost: costOf(rows, (isSimple ? 1 : 4) + (logProbs ? 1 : 0)),
        work: (memory, own) => workOf(call, memory, own),
      };
    });
}
