import type { Step } from '../backends/jobs.js';
import type { Elements, GradLoss, Kernels, Multipliers } from '../backends/kernels.js';
import { typeError } from '../errors.js';
import { type Call, callersMemory, compute, costOf, type Memory, type Work } from '../problem/call.js';
import { allocate, requireFamily } from '../problem/dtypes.js';
import { withEmptyRow, withoutRows } from '../problem/empty-rows.js';
import { isLeftOut, keptRows } from '../problem/kept-rows.js';
import {
  copyLossOptions,
  type LossInputs,
  lossOutput,
  type ReadLossOptions,
  readFraction,
  readLossOptions,
  readWanted,
  requireDTypeFamily,
} from '../problem/loss-options.js';
import { weightsOf } from '../problem/number-options.js';
import { knownOptions, type OptionName } from '../problem/option-names.js';
import { type Options, optionsOf } from '../problem/options.js';
import { type Destination, resultOf } from '../problem/outputs.js';
import {
  type Divisor,
  gradLossOf,
  lossesLike,
  newLosses,
  newRowResults,
  reducedLoss,
  roundedLoss,
  scaledGradLoss,
} from '../problem/reduction.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from '../problem/rows.js';
import { probabilitiesOf, readTarget, type Target, targetOf } from '../problem/targets.js';
import { multiplierOf, squaredTemperatures } from '../problem/temperature.js';
import { type Input, type Operand, readOperand } from '../problem/tensors.js';
import { named, type Operation } from './operation.js';

/** The part of the loss that is cross-entropy. */
interface TargetPart extends Target {
  readonly weight: Float64Array | undefined;
  readonly labelSmoothing: number;
  /** At temperature 1. */
  readonly multiplier: Multipliers;
  readonly gradLoss: GradLoss;
}

interface DistillationCall {
  readonly student: Operand;
  readonly teacher: Operand;
  readonly rows: RowProblem;
  /** Of rows that are not left out. */
  readonly count: number;
  readonly alpha: number;
  readonly lossOptions: ReadLossOptions;
  /** τ². */
  readonly square: number | Float64Array;
  /** Of the divergence times τ². */
  readonly gradLoss: GradLoss;
  readonly targetPart: TargetPart | undefined;
  readonly grad: Destination | undefined;
}

/** Options that would have no effect. */
function refuseWithoutTarget(
  alpha: number,
  labelSmoothing: number,
  { weight, ignoreIndex }: ReadLossOptions,
): void {
  const fail = (argument: string, value: unknown) =>
    typeError('ERR_OPTION', `${argument} needs a target`, { argument, value });
  if (alpha !== 1) throw fail('alpha', alpha);
  if (labelSmoothing !== 0) throw fail('labelSmoothing', labelSmoothing);
  if (weight !== undefined) throw fail('weight', weight.held?.data);
  if (ignoreIndex !== undefined) throw fail('ignoreIndex', ignoreIndex);
}

/** The target's part, over the rows that are kept. */
function targetPartOf(
  target: Target,
  { count, divisor }: Divisor,
  weight: Float64Array | undefined,
  { rows, lossOptions, student }: { rows: RowProblem; lossOptions: ReadLossOptions; student: Operand },
  { scale, labelSmoothing, alpha }: { scale: number; labelSmoothing: number; alpha: number },
): TargetPart {
  const multiplier = multiplierOf({ dtype: student.dtype, hasLimit: false }, 1, scale, rows.rowCount);
  const gradLoss = scaledGradLoss(gradLossOf(lossOptions, rows.rowCount, { count, divisor }), 1 - alpha);
  return { target: target.target, count, divisor, weight, labelSmoothing, multiplier, gradLoss };
}

const optionNames: readonly OptionName[] = [
  ...(['grad', 'shape', 'axis', 'dtype', 'temperature', 'scale', 'mask', 'target', 'alpha'] as const),
  ...([
    'emptyRow',
    'labelSmoothing',
    'reduction',
    'emptyMean',
    'weight',
    'ignoreIndex',
    'gradOutput',
  ] as const),
];
const known = knownOptions('distillationLoss', optionNames);

/** Reads everything, then checks everything. */
function read(studentLogits: unknown, teacherLogits: unknown, object: Options): DistillationCall {
  const { target: givenTarget, alpha: givenAlpha = givenTarget === undefined ? 1 : 0.5 } = object;
  const given = copyLossOptions(object, undefined);
  const rowOptions = readRowOptions(given);
  const { dtype, scale } = rowOptions;
  const lossOptions = readLossOptions(given, dtype);
  const labelSmoothing = readFraction('labelSmoothing', given.labelSmoothing, 'ERR_LABEL_SMOOTHING');
  const alpha = readFraction('alpha', givenAlpha, 'ERR_OPTION');
  const student = readOperand('studentLogits', studentLogits, dtype);
  const teacher = readOperand('teacherLogits', teacherLogits, dtype);
  const target = givenTarget === undefined ? undefined : readTarget(givenTarget, true, 'target', dtype);
  const wantedGrad = readWanted('grad', given.grad, student, dtype);

  const input: Input = { argument: 'studentLogits', operand: student };
  requireDTypeFamily(dtype, input);
  requireFamily('teacherLogits', teacher.dtype, 'studentLogits', student.dtype);
  const other: Input = { argument: 'teacherLogits', operand: teacher };
  const ofStudent = withEmptyRow(
    rowProblem(input.argument, input.operand, rowOptions, false, other),
    student,
    rowOptions,
  );
  // A part without a share does not matter.
  const all = alpha > 0 ? withEmptyRow(ofStudent, teacher, rowOptions) : ofStudent;
  const { rowCount } = all;
  const square = squaredTemperatures(rowOptions.temperature, rowCount);
  if (target === undefined) refuseWithoutTarget(alpha, labelSmoothing, lossOptions);
  const weight = target && weightsOf(lossOptions.weight, all);
  const checked = target && targetOf(target, input, all, lossOptions.ignoreIndex, weight);
  const classes = checked?.target instanceof Int32Array ? checked.target : undefined;
  const kept = keptRows(all, checked, classes, weight);
  const { count } = kept;
  const rows = count < rowCount ? withoutRows(all, (row) => isLeftOut(all, classes, row)) : all;
  const ofRows = gradLossOf(lossOptions, rowCount, { count, divisor: count });
  const gradLoss = scaledGradLoss(scaledGradLoss(ofRows, square), alpha);
  const about = { rows, lossOptions, student };
  const targetPart = checked && targetPartOf(checked, kept, weight, about, { scale, labelSmoothing, alpha });
  const others = [
    ['teacherLogits', teacher],
    ['target', target],
  ] as const;
  const inputs: LossInputs = { input, others, rowOptions, lossOptions };
  const grad = wantedGrad && lossOutput('grad', wantedGrad, inputs, rows);
  return { student, teacher, rows, count, alpha, lossOptions, square, gradLoss, targetPart, grad };
}

/** The losses of the target's part, and the step to them. Its gradient goes into `grad`. */
function targetStep(
  kernels: Kernels,
  part: TargetPart,
  logits: Elements,
  grad: Elements | undefined,
  memory: Memory,
  rows: RowProblem,
): { loss: Float64Array; step: Step } {
  const { target: given, weight, labelSmoothing, gradLoss, multiplier } = part;
  const target = given instanceof Int32Array ? given : memory.input(given);
  const loss = newLosses(rows.rowCount);
  const logSumExp = newRowResults(logits, rows.rowCount);
  const problem = { logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss };
  const run: Step['run'] = (some) => kernels.crossEntropy(problem, some);
  return { loss, step: { rows: { ...rows, multiplier }, run } };
}

/** The teacher's losses are τ² · KL. */
function multiply(divergence: Float64Array, square: number | Float64Array): void {
  for (let row = 0; row < divergence.length; row++) {
    const factor = typeof square === 'number' ? square : (square[row] as number);
    divergence[row] = (divergence[row] as number) * factor;
  }
}

function workOf(kernels: Kernels, call: DistillationCall, memory: Memory, rows: RowProblem): Work {
  const { square, gradLoss, alpha, targetPart } = call;
  const student = memory.input(call.student);
  const teacher = memory.input(call.teacher);
  const grad = call.grad && memory.output(call.grad);
  // A part without a share is left out: 0 times an infinite loss is NaN.
  const part = alpha < 1 ? targetPart : undefined;
  const hasTeacher = alpha > 0;
  // In float64: the two parts of a gradient may cancel.
  const between = hasTeacher && part && grad ? allocate('float64', rows.elements, false) : undefined;
  const ofTarget = part && targetStep(kernels, part, student, between ?? grad, memory, rows);
  const steps = ofTarget ? [ofTarget.step] : [];
  // Not rounded before τ² multiplies it.
  const divergence = hasTeacher ? newLosses(rows.rowCount) : undefined;
  if (divergence) {
    const addend = between?.data as Float64Array | undefined;
    const problem = { student, teacher, divergence, grad, addend, gradLoss };
    steps.push({ rows, run: (some) => kernels.divergence(problem, some) });
  }
  return {
    steps: rows.rowCount > 0 ? steps : [],
    result() {
      if (divergence) multiply(divergence, square);
      const result: Record<string, unknown> = {
        loss: blend(call, divergence, ofTarget?.loss),
        count: call.count,
      };
      if (call.grad && grad) result.grad = resultOf(call.grad, grad);
      return result;
    },
  };
}

/** α of the teacher's losses and 1 − α of the target's, reduced. */
function blend(
  { student, rows, count, alpha, lossOptions, targetPart }: DistillationCall,
  ofTeacher: Float64Array | undefined,
  ofTarget: Float64Array | undefined,
): unknown {
  const { rowCount } = rows;
  const sumOf = (teacher: number, target: number) =>
    (ofTeacher ? alpha * teacher : 0) + (ofTarget ? (1 - alpha) * target : 0);
  if (lossOptions.reduction === 'none') {
    const losses = newLosses(rowCount);
    const rounded = student.dtype === 'float64' ? (loss: number) => loss : roundedLoss;
    for (let row = 0; row < rowCount; row++)
      losses[row] = sumOf(ofTeacher?.[row] ?? 0, rounded(ofTarget?.[row] ?? 0));
    return lossesLike(student, losses, shapeWithoutAxis(rows));
  }
  return sumOf(
    ofTeacher ? reducedLoss('float64', ofTeacher, lossOptions, count) : 0,
    ofTarget && targetPart ? reducedLoss(student.dtype, ofTarget, lossOptions, targetPart.divisor) : 0,
  );
}

function planOf(kernels: Kernels, call: DistillationCall): Call {
  const { student, teacher, rows, targetPart, grad } = call;
  return {
    inputs: [
      { argument: 'studentLogits', operand: student },
      { argument: 'teacherLogits', operand: teacher },
      ...(targetPart ? probabilitiesOf(targetPart) : []),
    ],
    replaceable: 1,
    outputs: grad ? [grad] : [],
    rows,
    cost: costOf(rows, 8),
    work: (memory, own) => workOf(kernels, call, memory, own),
  };
}

export const distillationLoss: Operation = {
  name: 'distillationLoss',
  inputs: ['studentLogits', 'teacherLogits'],
  target: 'option',
  options: optionNames,
  result: 'rows',
  mayReplace: true,
  hasLimits: false,
  bind: (kernels) => ({
    call: named('distillationLoss', (student, teacher, options) => {
      const call = read(student, teacher, optionsOf(options, known.sync));
      return compute(workOf(kernels, call, callersMemory, call.rows));
    }),
    plan: ([student, teacher, options]) =>
      planOf(kernels, read(student, teacher, optionsOf(options, known.async))),
  }),
};
