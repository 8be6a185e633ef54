import { BlockField } from '../../backends/block-fields.js';
import { ElementMemory } from '../../backends/element-memory.js';
import type { Step } from '../../backends/jobs.js';
import { singleExponential } from '../../backends/js/exp.js';
import { logNormalizer } from '../../backends/js/forward.js';
import { perRow } from '../../backends/js/kernels.js';
import { targetLoss } from '../../backends/js/loss.js';
import { isKept, placeOf, rangeOf } from '../../backends/js/rows.js';
import { canonical, type Scaling } from '../../backends/js/scaling.js';
import { scaledExponentialsNumbers } from '../../backends/js/shards.js';
import type { Elements, ScaledRows } from '../../backends/kernels.js';
import { inFunction, rangeError, typeError } from '../../errors.js';
import { type Call, computeCall, costOf } from '../../problem/call.js';
import {
  copyLossOptions,
  lossOutput,
  readLossOptions,
  readWanted,
  requireDTypeFamily,
} from '../../problem/loss-options.js';
import { knownOptions, type OptionName } from '../../problem/option-names.js';
import { type Options, onlyOptions, optionsOf } from '../../problem/options.js';
import { resultOf } from '../../problem/outputs.js';
import {
  gradLossOf,
  lossByReduction,
  newLosses,
  newRowResults,
  rowResultsLike,
} from '../../problem/reduction.js';
import { readRowOptions, rowProblem, shapeWithoutAxis } from '../../problem/rows.js';
import { readTarget, targetOf } from '../../problem/targets.js';
import { type Input, readOperand } from '../../problem/tensors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { scaledExponentials } from './finish-rows.js';
import { scalingsOf, totalOf } from './nodes.js';
import type { ShardOperation } from './operation.js';
import { readOffset } from './partial.js';
import { heldBy, requireRowsOf, rowsOf } from './rows.js';
import { classesOf, RowField, readState, requireNoLimit, requireWhole, rowAt, type State } from './state.js';
import { logSumExpOfRow, rowSumOf } from './totals.js';

const optionNames: readonly OptionName[] = [
  ...(['grad', 'shape', 'axis', 'dtype', 'mask', 'offset'] as const),
  ...(['reduction', 'emptyMean', 'ignoreIndex', 'gradOutput'] as const),
];
const known = knownOptions('finishCrossEntropy', optionNames);

/** A state was made with targets: they must be these. */
function requireTargets(state: State, classes: Int32Array): void {
  if (!state.hasTarget)
    throw rangeError('ERR_STATE', 'state has no target: partial takes it as an option', {
      argument: 'state',
    });
  for (let row = 0; row < state.rows; row++) {
    const target = state.numbers[rowAt(state, row) + RowField.target] as number;
    if (target === classes[row]) continue;
    const message = `target[${row}] is not the ${target} that state was made with`;
    throw rangeError('ERR_STATE', message, { argument: 'target', row, index: row, value: classes[row] });
  }
}

/** Reads everything, then checks everything. */
function read(x: unknown, target: unknown, givenState: unknown, all: Options) {
  const options = onlyOptions(all, optionNames);
  const given = copyLossOptions(options, undefined);
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const lossOptions = readLossOptions(given, dtype);
  const { offset: givenOffset } = options;
  const offset = readOffset(givenOffset);
  const operand = readOperand('x', x, dtype);
  const input: Input = { argument: 'x', operand };
  requireDTypeFamily(dtype, input);
  const givenTarget = readTarget(target, false);
  const wanted = readWanted('grad', given.grad, operand, dtype);
  const state = readState('state', givenState);
  requireWhole('state', state);
  requireNoLimit('state', state);
  const plainRows = rowProblem('x', operand, rowOptions, false);
  requireRowsOf(state, operand, plainRows, offset);
  if (givenOffset === undefined && plainRows.length !== classesOf(state)) {
    const message = `offset is missing: x has ${plainRows.length} of the ${classesOf(state)} classes`;
    throw typeError('ERR_OPTION', message, { argument: 'offset' });
  }
  const rows = rowsOf(state, plainRows);
  const whole = { ...rows, length: classesOf(state) };
  const checked = targetOf(givenTarget, input, whole, lossOptions.ignoreIndex, undefined);
  const classes = checked.target as Int32Array;
  requireTargets(state, classes);
  const gradLoss = gradLossOf(lossOptions, rows.rowCount, checked);
  const inputs = {
    input,
    others: [
      ['target', givenTarget],
      ['state', heldBy(state)],
    ] as const,
    rowOptions,
    lossOptions,
  };
  const grad = wanted && lossOutput('grad', wanted, inputs, rows);
  return { input, rows, state, offset, classes, count: checked.count, lossOptions, gradLoss, grad };
}

/** The losses of whole rows, and what their gradients are made of. */
interface Losses {
  readonly loss: Float64Array;
  readonly logSumExp: Float32Array | Float64Array;
  /** Of each row: what scaledExponentials takes. */
  readonly known: Float64Array;
  /** Of each row: the gradient of its target. */
  readonly targets: Float64Array;
}

/** As crossEntropyRow of a whole row (backends/js/loss.ts). */
function setRow(
  losses: Losses,
  state: State,
  row: number,
  target: number,
  gradLoss: number,
  scaling: Scaling,
): void {
  const { loss, logSumExp, known, targets } = losses;
  const fields = totalOf(state, row, scaling);
  const at = rowAt(state, row);
  const sums = rowSumOf(fields, target < 0 ? BlockField.sum : BlockField.untargeted, scaling);
  const targetLogit = state.numbers[at + RowField.targetLogit] as number;
  const others = sums.sum;
  const exponential = target < 0 ? 0 : singleExponential(targetLogit, scaling, sums.reference);
  const total = others + exponential;
  const normalizer = total > 0 ? logNormalizer(sums, total, scaling) : Number.NaN;
  const value = logSumExpOfRow(sums, total, normalizer, fields, scaling);
  logSumExp[row] = canonical(value);
  const factor = gradLoss * (state.numbers[at + RowField.multiplier] as number);
  const first = row * scaledExponentialsNumbers;
  known[first] = sums.top;
  known[first + 1] = total > 0 ? factor / total : Number.NaN;
  known[first + 3] = target < 0 ? 1 : 0;
  targets[row] = total > 0 ? canonical(0 - factor * (others / total)) : Number.NaN;
  // Rows that are ignored, and those that masks leave nothing of.
  const isEmptied = value === Number.NEGATIVE_INFINITY && state.numbers[at + RowField.argMax] === -1;
  if (target < 0 || isEmptied) loss[row] = 0;
  else if (total > 0)
    loss[row] = canonical(targetLoss(targetLogit, others, exponential, normalizer, sums, scaling));
  else loss[row] = Number.NaN;
}

/** The gradients of targets that are here go where the exponentials went. */
function writeTargets(
  grad: Elements,
  rows: ScaledRows,
  classes: Int32Array,
  offset: number,
  targets: Float64Array,
): void {
  const { length, mask } = rows;
  const memory = new ElementMemory(grad);
  const isFloat = grad.dtype !== 'float64';
  const { begin, end } = rangeOf(rows);
  for (let row = begin; row < end; row++) {
    const here = (classes[row] as number) - offset;
    if ((classes[row] as number) < 0 || here < 0 || here >= length || !isKept(mask, row, here)) continue;
    const value = targets[row] as number;
    memory.set(placeOf(rows, length, row, here), isFloat ? Math.fround(value) : value);
  }
}

export const finishCrossEntropy: ShardOperation = {
  name: 'finishCrossEntropy',
  length: 4,
  options: 3,
  bind(kernels) {
    const run = kernels.arrays(scaledExponentials);
    const planOf = (call: ReturnType<typeof read>): Call => {
      const { input, rows, state, offset, classes, count, lossOptions, gradLoss, grad } = call;
      const { rowCount } = rows;
      return {
        inputs: [input],
        replaceable: 1,
        outputs: grad ? [grad] : [],
        rows,
        cost: costOf(rows, grad ? 1 : 0),
        work(memory, own) {
          const x = memory.input(input.operand);
          const out = grad && memory.output(grad);
          const numbers = rowCount * scaledExponentialsNumbers;
          const losses: Losses = {
            loss: newLosses(rowCount),
            logSumExp: newRowResults(input.operand, rowCount),
            known: allocateOrThrow(numbers, () => new Float64Array(numbers)),
            targets: allocateOrThrow(rowCount, () => new Float64Array(rowCount)),
          };
          const scalings = scalingsOf(state);
          for (let row = 0; row < rowCount; row++)
            setRow(losses, state, row, classes[row] as number, perRow(gradLoss, row), scalings(row));
          const known: Elements = { data: losses.known, dtype: 'float64' };
          const steps: Step[] = [];
          if (out && rows.elements > 0)
            steps.push(
              { rows: own, run: (some) => run([x, known, out], [scaledExponentialsNumbers, 0], some) },
              { rows: own, run: (some) => writeTargets(out, some, classes, offset, losses.targets) },
            );
          return {
            steps,
            result() {
              const { loss, logSumExp } = losses;
              const shape = shapeWithoutAxis(rows);
              const result: Record<string, unknown> = {
                loss: lossByReduction(input.operand, loss, lossOptions, count, shape),
                logSumExp: rowResultsLike(input.operand, logSumExp, shape),
                count,
              };
              if (grad && out) result.grad = resultOf(grad, out);
              return result;
            },
          };
        },
      };
    };
    return {
      call(x, target, state, options) {
        try {
          return computeCall(planOf(read(x, target, state, optionsOf(options, known.sync))));
        } catch (error) {
          throw inFunction('finishCrossEntropy', error);
        }
      },
      plan: ([x, target, state, options]) => planOf(read(x, target, state, optionsOf(options, known.async))),
    };
  },
};
