import type { Input } from '../api/arrays.js';
import { callersMemory, compute, costOf, type Memory, type Step, type Work } from '../async/call-plan.js';
import { type AsyncOptions, type Engine, later } from '../async/run.js';
import type { DType, Elements, GradLoss, Kernels, Multipliers, RowResults } from '../backends/kernels.js';
import { typeError } from '../errors.js';
import { allocate, requireFamily } from '../problem/dtypes.js';
import { type MaskOptions, optionsOf, type ScalingOptions } from '../problem/options.js';
import { type Destination, resultOf } from '../problem/outputs.js';
import { type RowProblem, readRowOptions, rowProblem, shapeWithoutAxis } from '../problem/rows.js';
import { type GivenTarget, probabilitiesOf, readTarget, type Target, targetOf } from '../problem/targets.js';
import { multiplierOf, squaredTemperatures } from '../problem/temperature.js';
import { type Operand, readOperand, shapeOf } from '../problem/tensors.js';
import { requireLength } from '../typed-arrays.js';
import { type LossInputs, lossOutput, readWanted, requireDTypeFamily } from './loss-outputs.js';
import {
  type LossOf,
  type LossOptions,
  type LossTarget,
  type ReadLossOptions,
  type Reduction,
  readFraction,
  readLossOptions,
  type Wanted,
  type WantedOf,
  weightsOf,
} from './losses.js';
import { gradLossOf, newRowResults, reducedLoss, rowResultsLike, scaledGradLoss } from './reduction.js';

/** Options of distillationLoss. Those of cross-entropy (weight, ignoreIndex, labelSmoothing) need a target. */
export interface DistillationOptions<
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> extends LossOptions<R, Grad, D>,
    ScalingOptions,
    MaskOptions {
  /** Class indices or probabilities for the part that is cross-entropy. Without it there is no such part. */
  readonly target?: LossTarget | undefined;
  /** α in [0, 1]: how much of the loss is the teacher's; the rest is the target's. Default 0.5, 1 without target. */
  readonly alpha?: number | undefined;
  /** ε in [0, 1], of the part that is cross-entropy. Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/** What distillationLoss returns. */
export interface DistillationResult<
  X extends Input = Input,
  R extends Reduction = Reduction,
  Grad extends Wanted = Wanted,
  D extends DType | undefined = DType | undefined,
> {
  /** One number (summed in float64 from the rows' losses), or one a row for reduction 'none'. */
  readonly loss: LossOf<X, R>;
  /** ∂loss/∂studentLogits; for 'none', of the sum of the losses. Only if `grad` was given. */
  readonly grad: WantedOf<X, Grad, D>;
  /** Rows whose target is not ignored; all rows without a target. */
  readonly count: number;
}

const fn = 'distillationLoss';

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
function refuseWithoutTarget(alpha: number, labelSmoothing: number, { weight }: ReadLossOptions): void {
  const fail = (argument: string, value: unknown) =>
    typeError('ERR_OPTION', `${argument} needs a target`, { fn, argument, value });
  if (alpha !== 1) throw fail('alpha', alpha);
  if (labelSmoothing !== 0) throw fail('labelSmoothing', labelSmoothing);
  if (weight !== undefined) throw fail('weight', weight.data);
}

/** Checks the target against the student. */
function targetPartOf(
  target: GivenTarget,
  student: Operand,
  rows: RowProblem,
  lossOptions: ReadLossOptions,
  { scale, labelSmoothing, alpha }: { scale: number; labelSmoothing: number; alpha: number },
): TargetPart {
  const weight = weightsOf(fn, lossOptions.weight, rows.length);
  const checked = targetOf(fn, target, 'studentLogits', student, rows, lossOptions.ignoreIndex, weight);
  const multiplier = multiplierOf({ fn, dtype: student.dtype, hasLimit: false }, 1, scale, rows.rowCount);
  const gradLoss = scaledGradLoss(gradLossOf(fn, lossOptions, rows.rowCount, checked), 1 - alpha);
  return { ...checked, weight, labelSmoothing, multiplier, gradLoss };
}

/** Reads everything, then checks everything. */
function readCall(
  studentLogits: Input,
  teacherLogits: Input,
  options: DistillationOptions,
): DistillationCall {
  const { target: givenTarget, labelSmoothing: givenSmoothing = 0 } = options;
  const { alpha: givenAlpha = givenTarget === undefined ? 1 : 0.5 } = options;
  const { grad: givenGrad } = options;
  const rowOptions = readRowOptions(fn, options);
  const { dtype } = rowOptions;
  const lossOptions = readLossOptions(fn, options, dtype);
  const labelSmoothing = readFraction(fn, 'labelSmoothing', givenSmoothing, 'ERR_LABEL_SMOOTHING');
  const alpha = readFraction(fn, 'alpha', givenAlpha, 'ERR_OPTION');
  const student = readOperand(fn, 'studentLogits', studentLogits, dtype);
  const teacher = readOperand(fn, 'teacherLogits', teacherLogits, dtype);
  const target = givenTarget === undefined ? undefined : readTarget(fn, givenTarget, true);
  const wantedGrad = readWanted(fn, 'grad', givenGrad, student, dtype);

  requireDTypeFamily(fn, dtype, 'studentLogits', student);
  requireFamily(fn, 'teacherLogits', teacher.dtype, 'studentLogits', student.dtype);
  const others = shapeOf(fn, 'teacherLogits', teacher.tensor, rowOptions.sizes);
  const rows = rowProblem(fn, 'studentLogits', student, rowOptions, false, others);
  const { rowCount } = rows;
  requireLength(fn, 'teacherLogits', teacher.data, rows.elements, 'studentLogits has');
  const square = squaredTemperatures(fn, rowOptions.temperature, rowCount);
  const ofRows = gradLossOf(fn, lossOptions, rowCount, { count: rowCount, divisor: rowCount });
  const gradLoss = scaledGradLoss(scaledGradLoss(ofRows, square), alpha);
  if (target === undefined) refuseWithoutTarget(alpha, labelSmoothing, lossOptions);
  const targetPart =
    target &&
    targetPartOf(target, student, rows, lossOptions, { scale: rowOptions.scale, labelSmoothing, alpha });
  const inputs: LossInputs = {
    argument: 'studentLogits',
    input: student,
    others: [
      ['teacherLogits', teacher.data],
      ['target', target?.data],
    ],
    rowOptions,
    lossOptions,
  };
  const grad = wantedGrad && lossOutput(fn, wantedGrad, inputs, rows);
  return { student, teacher, rows, alpha, lossOptions, square, gradLoss, targetPart, grad };
}

/** The losses of the target's part, and the step to them. Its gradient goes into `grad`. */
function targetStep(
  part: TargetPart,
  logits: Elements,
  grad: Elements | undefined,
  memory: Memory,
  rows: RowProblem,
): { loss: RowResults; step: Step } {
  const { target: given, weight, labelSmoothing, gradLoss, multiplier } = part;
  const target = given instanceof Int32Array ? given : memory.input(given);
  const loss = newRowResults(fn, logits, rows.rowCount);
  const logSumExp = newRowResults(fn, logits, rows.rowCount);
  const problem = { logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss };
  const run: Step['run'] = (kernels, some) => kernels.crossEntropy(problem, some);
  return { loss, step: { rows: { ...rows, multiplier }, run } };
}

/** The teacher's losses are τ² · KL. */
function multiply(divergence: Float64Array, square: number | Float64Array): void {
  for (let row = 0; row < divergence.length; row++) {
    const factor = typeof square === 'number' ? square : (square[row] as number);
    divergence[row] = (divergence[row] as number) * factor;
  }
}

function workOf(call: DistillationCall, memory: Memory, rows: RowProblem): Work {
  const { square, gradLoss, alpha, targetPart } = call;
  const student = memory.input(call.student);
  const teacher = memory.input(call.teacher);
  const grad = call.grad && memory.output(call.grad);
  // A part without a share is left out: 0 times an infinite loss is NaN.
  const part = alpha < 1 ? targetPart : undefined;
  const hasTeacher = alpha > 0;
  // In float64: the two parts of a gradient may cancel.
  const between = hasTeacher && part && grad ? allocate(fn, 'float64', rows.elements, false) : undefined;
  const ofTarget = part && targetStep(part, student, between ?? grad, memory, rows);
  const steps = ofTarget ? [ofTarget.step] : [];
  // Not rounded before τ² multiplies it.
  const divergence = hasTeacher
    ? (allocate(fn, 'float64', rows.rowCount, false).data as Float64Array)
    : undefined;
  if (divergence) {
    const addend = between?.data as Float64Array | undefined;
    const problem = { student, teacher, divergence, grad, addend, gradLoss };
    steps.push({ rows, run: (kernels, some) => kernels.divergence(problem, some) });
  }
  return {
    steps: rows.rowCount > 0 ? steps : [],
    result() {
      if (divergence) multiply(divergence, square);
      const result: Record<string, unknown> = {
        loss: blend(call, divergence, ofTarget?.loss),
        count: targetPart ? targetPart.count : rows.rowCount,
      };
      if (call.grad && grad) result.grad = resultOf(call.grad, grad);
      return result;
    },
  };
}

export function distillationFunction(kernels: Kernels) {
  return (studentLogits: Input, teacherLogits: Input, options?: DistillationOptions): unknown => {
    const call = readCall(studentLogits, teacherLogits, optionsOf(fn, options));
    return compute(kernels, workOf(call, callersMemory, call.rows));
  };
}

export function asyncDistillationFunction(engine: Engine) {
  return (
    studentLogits: Input,
    teacherLogits: Input,
    options?: DistillationOptions & AsyncOptions,
  ): Promise<unknown> =>
    later(engine, fn, options, () => {
      const call = readCall(studentLogits, teacherLogits, optionsOf(fn, options));
      const { student, teacher, rows, targetPart, grad } = call;
      return {
        fn,
        inputs: [
          { argument: 'studentLogits', operand: student },
          { argument: 'teacherLogits', operand: teacher },
          ...(targetPart ? probabilitiesOf(targetPart) : []),
        ],
        replaceable: 1,
        outputs: grad ? [grad] : [],
        rows,
        cost: costOf(rows, 8),
        work: (memory, own) => workOf(call, memory, own),
      };
    });
}

/** α of the teacher's losses and 1 − α of the target's, reduced. */
function blend(
  { student, rows, alpha, lossOptions, targetPart }: DistillationCall,
  ofTeacher: RowResults | undefined,
  ofTarget: RowResults | undefined,
): unknown {
  const { rowCount } = rows;
  const sumOf = (teacher: number, target: number) =>
    (ofTeacher ? alpha * teacher : 0) + (ofTarget ? (1 - alpha) * target : 0);
  if (lossOptions.reduction === 'none') {
    const losses = newRowResults(fn, student, rowCount);
    for (let row = 0; row < rowCount; row++) losses[row] = sumOf(ofTeacher?.[row] ?? 0, ofTarget?.[row] ?? 0);
    return rowResultsLike(student, losses, shapeWithoutAxis(rows));
  }
  return sumOf(
    ofTeacher ? reducedLoss(ofTeacher, lossOptions, rowCount) : 0,
    ofTarget && targetPart ? reducedLoss(ofTarget, lossOptions, targetPart.divisor) : 0,
  );
}
