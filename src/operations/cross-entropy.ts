import type { Step } from '../backends/jobs.js';
import type { CrossEntropyProblem, GradLoss, Kernels, UnaryRows } from '../backends/kernels.js';
import { inFunction } from '../errors.js';
import { type Call, callersMemory, compute, costOf, type Memory, type Work } from '../problem/call.js';
import { withEmptyRow } from '../problem/empty-rows.js';
import {
  copyLossOptions,
  type GivenLossOptions,
  type LossInputs,
  lossOutput,
  type ReadLossOptions,
  readFraction,
  readLossOptions,
  readWanted,
  requireDTypeFamily,
} from '../problem/loss-options.js';
import { copyOfWeights, finiteBy, largestByKernels, requireWeights } from '../problem/number-options.js';
import { type KnownOptions, knownOptions, type OptionName } from '../problem/option-names.js';
import { optionsOf } from '../problem/options.js';
import { type Destination, requireShareNothing, resultOf } from '../problem/outputs.js';
import {
  gradLossOf,
  lossByReduction,
  newLosses,
  newRowResults,
  rowResultsLike,
} from '../problem/reduction.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from '../problem/rows.js';
import { probabilitiesOf, readTarget, type Target, targetOf } from '../problem/targets.js';
import { type Input, type Operand, readOperand } from '../problem/tensors.js';
import { isSameMemory } from '../typed-arrays.js';
import { fastCrossEntropy } from './fast-cross-entropy.js';
import { logSoftmax } from './log-softmax.js';
import type { Operation } from './operation.js';
import { argMax } from './tokens/arg-max.js';

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

const optionNames: readonly OptionName[] = [
  ...(['grad', 'logProbs', 'shape', 'axis', 'dtype', 'temperature', 'scale', 'mask', 'emptyRow'] as const),
  ...(['labelSmoothing', 'reduction', 'emptyMean', 'weight', 'ignoreIndex', 'gradOutput'] as const),
];
const known = knownOptions('crossEntropy', optionNames);

/** A private copy of the options. */
function copyOptions(options: unknown, known: KnownOptions): GivenLossOptions {
  const object = optionsOf(options, known);
  return copyLossOptions(object, object.logProbs);
}

/** Reads everything, then checks everything. */
function read(
  logits: unknown,
  target: unknown,
  given: GivenLossOptions,
  areFinite: ReturnType<typeof finiteBy>,
): CrossEntropyCall {
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const lossOptions = readLossOptions(given, dtype);
  const labelSmoothing = readFraction('labelSmoothing', given.labelSmoothing, 'ERR_LABEL_SMOOTHING');
  const input: Input = { argument: 'logits', operand: readOperand('logits', logits, dtype) };
  const { operand } = input;
  requireDTypeFamily(dtype, input);
  const givenTarget = readTarget(target, true, 'target', dtype);
  const wantedGrad = readWanted('grad', given.grad, operand, dtype);
  const wantedLogProbs = readWanted('logProbs', given.logProbs, operand, dtype);

  const rows = withEmptyRow(rowProblem('logits', operand, rowOptions, false), operand, rowOptions);
  const givenWeight = lossOptions.weight;
  if (givenWeight) requireWeights(givenWeight, rows, areFinite);
  const checked = targetOf(givenTarget, input, rows, lossOptions.ignoreIndex, givenWeight?.values);
  // Of a loss of class indices no others are looked at.
  const classes = checked.target instanceof Int32Array && labelSmoothing === 0 ? checked.target : undefined;
  const weight = givenWeight && copyOfWeights(givenWeight, classes);
  const gradLoss = gradLossOf(lossOptions, rows.rowCount, checked);
  const inputs: LossInputs = { input, others: [['target', givenTarget]], rowOptions, lossOptions };
  const grad = wantedGrad && lossOutput('grad', wantedGrad, inputs, rows);
  const logProbs = wantedLogProbs && lossOutput('logProbs', wantedLogProbs, inputs, rows);
  if (wantedGrad && wantedGrad !== true && wantedLogProbs && wantedLogProbs !== true)
    requireShareNothing(wantedLogProbs, 'grad', wantedGrad.operand);
  return { input: operand, rows, lossOptions, checked, weight, labelSmoothing, gradLoss, grad, logProbs };
}

/** The kernels of a call. */
function workOf(
  call: CrossEntropyCall,
  kernels: Kernels,
  runLogSoftmax: UnaryRows,
  memory: Memory,
  rows: RowProblem,
): Work {
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
    loss: newLosses(rows.rowCount),
    logSumExp: newRowResults(input, rows.rowCount),
    grad,
    gradLoss,
  };
  const steps: Step[] = [];
  if (rows.rowCount > 0) steps.push({ rows, run: (some) => kernels.crossEntropy(problem, some) });
  if (logProbs && rows.elements > 0) {
    const step: Step = { rows, run: (some) => runLogSoftmax(logits, logProbs, some) };
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
        loss: lossByReduction(input, loss, lossOptions, checked.divisor, shape),
        logSumExp: rowResultsLike(input, logSumExp, shape),
        count: checked.count,
      };
      if (call.grad && grad) result.grad = resultOf(call.grad, grad);
      if (call.logProbs && logProbs) result.logProbs = resultOf(call.logProbs, logProbs);
      return result;
    },
  };
}

export const crossEntropy: Operation = {
  name: 'crossEntropy',
  inputs: ['logits'],
  target: 'classes or probabilities',
  options: optionNames,
  result: 'rows',
  mayReplace: true,
  hasLimits: false,

  bind(kernels) {
    const fast = fastCrossEntropy(kernels.plain);
    const runLogSoftmax = kernels.unary(logSoftmax.kernel);
    const areFinite = finiteBy(largestByKernels(kernels, argMax.kernel));
    const planOf = (call: CrossEntropyCall): Call => {
      const { input, rows, checked, labelSmoothing, grad, logProbs } = call;
      const inputs = [{ argument: 'logits', operand: input }, ...probabilitiesOf(checked)];
      const isSimple = inputs.length === 1 && labelSmoothing === 0;
      return {
        inputs,
        replaceable: 1,
        outputs: [grad, logProbs].filter((output) => output !== undefined),
        rows,
        cost: costOf(rows, (isSimple ? 1 : 4) + (logProbs ? 1 : 0)),
        work: (memory, own) => workOf(call, kernels, runLogSoftmax, memory, own),
      };
    };
    return {
      call(logits, target, options) {
        try {
          const given = copyOptions(options, known.sync);
          const result = fast(logits, target, given);
          if (result !== undefined) return result;
          const call = read(logits, target, given, areFinite);
          return compute(workOf(call, kernels, runLogSoftmax, callersMemory, call.rows));
        } catch (error) {
          throw inFunction('crossEntropy', error);
        }
      },
      plan: ([logits, target, options]) =>
        planOf(read(logits, target, copyOptions(options, known.async), areFinite)),
    };
  },
};
