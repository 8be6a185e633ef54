import { blockFields, fieldsBeforeBlocks } from '../../backends/block-fields.js';
import { ElementMemory } from '../../backends/element-memory.js';
import type { Step } from '../../backends/jobs.js';
import { perRow } from '../../backends/js/kernels.js';
import { isKept, placeOf } from '../../backends/js/rows.js';
import { blockSumsRows } from '../../backends/js/shards.js';
import { blockSize } from '../../backends/js/tree.js';
import type { Elements, ScaledRows } from '../../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../../errors.js';
import { type Call, callersMemory, computeCall, costOf } from '../../problem/call.js';
import { requireFamily } from '../../problem/dtypes.js';
import { nothingOf, withEmptyRow } from '../../problem/empty-rows.js';
import { readIgnoreIndex } from '../../problem/loss-options.js';
import { knownOptions, type OptionName } from '../../problem/option-names.js';
import { copyOptions, type Options, optionsOf } from '../../problem/options.js';
import { maximumClasses, type RowProblem, readRowOptions, rowProblem } from '../../problem/rows.js';
import { readTarget, targetOf } from '../../problem/targets.js';
import { readOperand } from '../../problem/tensors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { named } from '../operation.js';
import { joinBlocks } from './nodes.js';
import type { ShardOperation } from './operation.js';
import { newState, nodesOf, RowField, type State } from './state.js';

const optionNames: readonly OptionName[] = [
  ...(['shape', 'axis', 'dtype', 'temperature', 'scale', 'mask', 'emptyRow'] as const),
  ...(['offset', 'classes', 'target', 'ignoreIndex'] as const),
];
const known = knownOptions('partial', optionNames);

/** The number of the first class that is here. */
export function readOffset(offset: unknown, argument = 'offset'): number {
  if (offset === undefined) return 0;
  if (Number.isSafeInteger(offset) && (offset as number) >= 0) return offset as number;
  const fail = typeof offset === 'number' ? rangeError : typeError;
  const message = `${argument} must be the number of the first class, an integer of at least 0, got ${formatValue(offset)}`;
  throw fail('ERR_OPTION', message, { argument, value: offset });
}

/** Reads everything, then checks everything. */
function read(x: unknown, options: Options) {
  const { offset: givenOffset, classes: givenClasses, target, ignoreIndex } = options;
  const given = copyOptions(options);
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const offset = readOffset(givenOffset);
  const classes = givenClasses === undefined ? undefined : readCount('classes', givenClasses);
  const ignored = readIgnoreIndex(ignoreIndex);
  const operand = readOperand('x', x, dtype);
  const givenTarget = target === undefined ? undefined : readTarget(target, false);
  const rows = withEmptyRow(rowProblem('x', operand, rowOptions, true), operand, rowOptions);
  let targets: Int32Array | undefined;
  if (givenTarget !== undefined) {
    // Classes of the whole row, of which these rows have some.
    const whole = { ...rows, length: classes ?? maximumClasses };
    const input = { argument: 'x', operand };
    targets = targetOf(givenTarget, input, whole, ignored, undefined).target as Int32Array;
  }
  if (dtype !== undefined) requireFamily('dtype', dtype, 'x', operand.dtype);
  const end = offset + rows.length;
  if (end > maximumClasses) {
    const message = `x has classes up to ${end}; class indices go to ${maximumClasses}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'x', value: end });
  }
  if (classes !== undefined && end > classes) {
    const message = `x has classes up to ${end}, but whole rows have ${classes}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'x', value: end });
  }
  return { operand, rows, offset, classes: classes ?? 0, targets };
}

/** A number of rows or classes. */
export function readCount(argument: 'classes' | 'rows', value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= maximumClasses)
    return value as number;
  const fail = typeof value === 'number' ? rangeError : typeError;
  throw fail('ERR_OPTION', `${argument} must be an integer of at least 0, got ${formatValue(value)}`, {
    argument,
    value,
  });
}

const newFields = (count: number): Float64Array => allocateOrThrow(count, () => new Float64Array(count));

/** As many numbers are kept for the next call. */
const mostKept = 2 ** 16;
let scratch: Float64Array = new Float64Array(512);

function scratchOf(count: number): Float64Array {
  if (count <= scratch.length) return scratch;
  const fields = newFields(count);
  if (count <= mostKept) scratch = fields;
  return fields;
}

/** What a row has beside its nodes. */
function setRows(
  state: State,
  { offset, targets }: Problem,
  { multiplier }: RowProblem,
  targetLogits: Float64Array | undefined,
  fields: Float64Array,
  count: number,
) {
  const { numbers, rows, stride } = state;
  for (let row = 0, at = state.begin; row < rows; row++, at += stride) {
    const argMax = fields[row * count] as number;
    numbers[at + RowField.multiplier] = perRow(multiplier, row);
    numbers[at + RowField.argMax] = argMax < 0 ? -1 : offset + argMax;
    numbers[at + RowField.target] = targets === undefined ? -1 : (targets[row] as number);
    numbers[at + RowField.targetLogit] =
      targetLogits === undefined ? Number.NaN : (targetLogits[row] as number);
  }
}

/** The logits of targets that are here. */
function targetLogitsOf(targets: Int32Array, offset: number, rows: RowProblem, x: Elements): Float64Array {
  const { length, mask, multiplier } = rows;
  const memory = new ElementMemory(x);
  const logits = newFields(targets.length);
  // Not Float64Array.from: that takes ten times as long.
  for (let row = 0; row < targets.length; row++) {
    const target = targets[row] as number;
    const here = target - offset;
    if (target < 0 || here < 0 || here >= length) logits[row] = Number.NaN;
    else if (isKept(mask, row, here)) logits[row] = memory.get(placeOf(rows, length, row, here));
    else logits[row] = nothingOf(multiplier);
  }
  return logits;
}

type Problem = ReturnType<typeof read>;

export const partial: ShardOperation = {
  name: 'partial',
  length: 2,
  options: 1,
  bind(kernels) {
    const run = kernels.arrays({ name: 'blockSums', js: blockSumsRows });
    const planOf = (problem: Problem): Call => {
      const { operand, rows, offset, classes, targets } = problem;
      const { rowCount, length } = rows;
      const count = fieldsBeforeBlocks + blockFields * Math.ceil(length / blockSize);
      return {
        inputs: [{ argument: 'x', operand }],
        replaceable: 0,
        outputs: [],
        rows,
        cost: costOf(rows, 1),
        work(memory, own) {
          const x = memory.input(operand);
          // Now: later the memory may be another call's.
          const targetLogits = targets && targetLogitsOf(targets, offset, own, x);
          // A call that is computed at once needs them no longer than until it returns.
          const fields = (memory === callersMemory ? scratchOf : newFields)(rowCount * count);
          const here = targets?.map((target) => (target < offset ? -1 : Math.min(target - offset, length)));
          const ofTargets: Elements<'int32'> | undefined = here && { data: here, dtype: 'int32' };
          const step: Step = {
            rows: own,
            run: (some: ScaledRows) =>
              run(
                [x, ofTargets as Elements | undefined, { data: fields, dtype: 'float64' }],
                [count, Number.NEGATIVE_INFINITY],
                some,
              ),
          };
          return {
            steps: rowCount > 0 ? [step] : [],
            result() {
              const isDouble = operand.dtype === 'float64';
              const state = newState({
                isDouble,
                rows: rowCount,
                hasTarget: targets !== undefined,
                classes,
                nodes: nodesOf(offset, length),
              });
              setRows(state, problem, own, targetLogits, fields, count);
              joinBlocks(state, fields, count);
              return state.numbers;
            },
          };
        },
      };
    };
    return {
      call: named('partial', (x, options) => computeCall(planOf(read(x, optionsOf(options, known.sync))))),
      plan: ([x, options]) => planOf(read(x, optionsOf(options, known.async))),
    };
  },
};
