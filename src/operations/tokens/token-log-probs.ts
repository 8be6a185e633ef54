import type { Step } from '../../backends/jobs.js';
import { tokenLogProbsRows } from '../../backends/js/tokens/token-log-probs.js';
import type { Elements, ScaledRows } from '../../backends/kernels.js';
import { rangeError, typeError } from '../../errors.js';
import { type Call, computeCall, costOf } from '../../problem/call.js';
import { requireFamily } from '../../problem/dtypes.js';
import { withEmptyRow } from '../../problem/empty-rows.js';
import { knownOptions, type OptionName } from '../../problem/option-names.js';
import { copyOptions, type GivenOptions, optionsOf } from '../../problem/options.js';
import { resultOf } from '../../problem/outputs.js';
import {
  type RowProblem,
  readRowOptions,
  requireFewClasses,
  rowProblem,
  shapeWithoutAxis,
} from '../../problem/rows.js';
import { formatShape, isSameShape } from '../../problem/shapes.js';
import { type GivenTarget, readTarget } from '../../problem/targets.js';
import { type Input, readOperand, requireOwnShape, shapeError } from '../../problem/tensors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { named, type Operation } from '../operation.js';
import { rowOptionNames } from '../row-operation.js';
import { fastTokenLogProbs } from './fast-tokens.js';
import { namedDestinations, readNamedOutputs } from './named-outputs.js';
import { readPlaces, requirePlaces, sizeOfPlaces } from './top-k.js';

const results = {
  logProbs: 'floats',
  ranks: 'integers',
  logSumExp: 'floats',
  topLogProbs: 'floats',
  topTokens: 'integers',
} as const;
type Name = keyof typeof results;
const ofTop = ['topLogProbs', 'topTokens'] as const;

const optionNames: readonly OptionName[] = [...rowOptionNames, 'top'];
const known = knownOptions('tokenLogProbs', optionNames);

/** The tokens of rows: a private copy. */
interface Tokens {
  readonly elements: Elements<'int32'>;
  /** Of a row. */
  readonly count: number;
  /** One of each row, and no axis for it. */
  readonly isFlat: boolean;
}

function tokensOf({ data, tensor }: GivenTarget, rows: RowProblem): Tokens {
  const { rowCount, length, inner, shape } = rows;
  const size = requireOwnShape('tokens', data, tensor);
  const count = rowCount === 0 ? 1 : size / rowCount;
  if (!Number.isInteger(count) || (rowCount === 0 && size > 0)) {
    const message = `tokens has ${size} elements, which is no multiple of the ${rowCount} ${rowCount === 1 ? 'row' : 'rows'}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'tokens', value: size });
  }
  const flatShape = shapeWithoutAxis(rows);
  const isFlat = tensor && flatShape ? isSameShape(tensor.shape, flatShape) : size === rowCount;
  const places = shape?.with(rows.axis, count);
  if (tensor && places && !isFlat && !isSameShape(tensor.shape, places))
    throw shapeError(
      'tokens',
      tensor,
      `is neither the shape ${formatShape(places)} nor that without the axis`,
    );
  const tokens = allocateOrThrow(size, () => new Int32Array(size));
  for (let i = 0; i < size; i++) {
    const given = (data as ArrayLike<number | bigint>)[i] as number | bigint;
    const value = Number(given);
    if (!(value >= 0 && value < length)) {
      const outer = Math.floor(i / (count * inner));
      const row = outer * inner + (i % inner);
      const message = `tokens[${i}] = ${given} is outside [0, ${length})`;
      throw rangeError('ERR_TARGET_RANGE', message, { argument: 'tokens', row, index: i, value: given });
    }
    tokens[i] = value;
  }
  return { elements: { data: tokens, dtype: 'int32' }, count, isFlat };
}

/** Reads everything, then checks everything. `givenTop`: the option. */
function read(logits: unknown, givenTokens: unknown, given: GivenOptions, givenTop: unknown) {
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const top = readPlaces('top', givenTop);
  const operand = readOperand('logits', logits, dtype);
  const input: Input = { argument: 'logits', operand };
  const target = readTarget(givenTokens, false, 'tokens');
  const outputs = readNamedOutputs(results, given.out, operand, dtype);
  const rows = withEmptyRow(rowProblem('logits', operand, rowOptions, false), operand, rowOptions);
  requireFewClasses('logits', rows);
  requirePlaces('top', top, rows);
  if (dtype !== undefined) requireFamily('dtype', dtype, 'logits', operand.dtype);
  const tokens = tokensOf(target, rows);
  for (const name of ofTop)
    if (top === 0 && outputs[name]) {
      const argument = `out.${name}`;
      throw typeError('ERR_OPTION', `${argument} is given, but top is 0`, { argument });
    }
  const perRow = { elements: rows.rowCount, shape: shapeWithoutAxis(rows) };
  const perToken = tokens.isFlat ? perRow : sizeOfPlaces(rows, tokens.count);
  const perTop = sizeOfPlaces(rows, top);
  const sizes = { logProbs: perToken, ranks: perToken, logSumExp: perRow };
  const all = top === 0 ? sizes : { ...sizes, topLogProbs: perTop, topTokens: perTop };
  const use = { input, options: rowOptions, others: [['tokens', target]] as const };
  return { input, rows, top, tokens, destinations: namedDestinations(results, outputs, all, use) };
}

export const tokenLogProbs: Operation = {
  name: 'tokenLogProbs',
  inputs: ['logits'],
  target: 'classes',
  options: optionNames,
  result: 'rows',
  results,
  mayReplace: false,
  hasLimits: false,
  bind(kernels) {
    const { plainTokens } = kernels;
    const run = kernels.arrays({ name: 'tokenLogProbs', js: tokenLogProbsRows });
    const planOf = ({ input, rows, top, tokens, destinations }: ReturnType<typeof read>): Call => ({
      inputs: [input],
      replaceable: 0,
      outputs: Object.values(destinations),
      rows,
      cost: costOf(rows, 1.5 + 0.25 * tokens.count),
      work(memory, own) {
        const x = memory.input(input.operand);
        const wanted = Object.entries(destinations);
        const outputs = new Map(wanted.map(([name, destination]) => [name, memory.output(destination)]));
        const of = (name: Name) => outputs.get(name);
        const arrays = [
          ...[x, tokens.elements, of('logProbs'), of('ranks'), of('logSumExp')],
          ...[of('topLogProbs'), of('topTokens')],
        ];
        const step: Step = {
          rows: own,
          run: (some: ScaledRows) => run(arrays, [tokens.count, top], some),
        };
        return {
          steps: rows.rowCount > 0 ? [step] : [],
          result: () =>
            Object.fromEntries(
              wanted.map(([name, destination]) => [
                name,
                resultOf(destination, outputs.get(name) as Elements),
              ]),
            ),
        };
      },
    });
    return {
      call: named('tokenLogProbs', (logits, tokens, options) => {
        const object = optionsOf(options, known.sync);
        const { top = 0 } = object;
        const given = copyOptions(object);
        return (
          (plainTokens && fastTokenLogProbs(plainTokens, logits, tokens, given, top)) ??
          computeCall(planOf(read(logits, tokens, given, top)))
        );
      }),
      plan([logits, tokens, options]) {
        const object = optionsOf(options, known.async);
        const { top = 0 } = object;
        return planOf(read(logits, tokens, copyOptions(object), top));
      },
    };
  },
};
