import type { Step } from '../../backends/jobs.js';
import { placeValues, topKRows } from '../../backends/js/tokens/top-k.js';
import type { ScaledRows } from '../../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../../errors.js';
import { type Call, computeCall, costOf } from '../../problem/call.js';
import { requireFamily } from '../../problem/dtypes.js';
import { withEmptyRow } from '../../problem/empty-rows.js';
import { knownOptions, type OptionName } from '../../problem/option-names.js';
import { copyOptions, type GivenOptions, oneOf, optionsOf } from '../../problem/options.js';
import { type Destination, resultOf } from '../../problem/outputs.js';
import { type RowProblem, readRowOptions, requireFewClasses, rowProblem } from '../../problem/rows.js';
import { type Input, readOperand } from '../../problem/tensors.js';
import { named, type Operation } from '../operation.js';
import { rowOptionNames } from '../row-operation.js';
import { fastTopK } from './fast-tokens.js';
import { namedDestinations, type ResultSize, readNamedOutputs } from './named-outputs.js';

const results = { values: 'floats', indices: 'integers' } as const;
const foreignValues: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ...['raw', 'scores', 'logit'].map((name) => [name, "'logits' here"] as const),
  ...['probs', 'prob', 'softmax'].map((name) => [name, "'probabilities' here"] as const),
  ...['logprobs', 'log_probs', 'logsoftmax', 'log_softmax'].map(
    (name) => [name, "'logProbabilities' here"] as const,
  ),
]);

/** How many places there are: an integer, no more than there are classes. */
export function readPlaces(argument: string, k: unknown): number {
  if (!Number.isInteger(k))
    throw typeError('ERR_K', `${argument} must be an integer, got ${formatValue(k)}`, { argument, value: k });
  if ((k as number) >= 0) return k as number;
  throw rangeError('ERR_K', `${argument} ${k} is below 0`, { argument, value: k });
}
export function requirePlaces(argument: string, k: number, { length }: RowProblem): void {
  if (k <= length) return;
  const message = `${argument} ${k} is more than the ${length} elements along the axis`;
  throw rangeError('ERR_K', message, { argument, value: k });
}

/** With `places` along the axis. */
export const sizeOfPlaces = ({ shape, axis, rowCount }: RowProblem, places: number): ResultSize => ({
  elements: rowCount * places,
  shape: shape?.with(axis, places),
});

const optionNames: readonly OptionName[] = [...rowOptionNames, 'values'];
const known = knownOptions('topK', optionNames);

/** Reads everything, then checks everything. `values`: the option. */
function read(x: unknown, givenK: unknown, given: GivenOptions, values: unknown) {
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const which = placeValues.indexOf(oneOf('values', values, placeValues, foreignValues));
  const k = readPlaces('k', givenK);
  const operand = readOperand('x', x, dtype);
  const input: Input = { argument: 'x', operand };
  const outputs = readNamedOutputs(results, given.out, operand, dtype);
  const rows = withEmptyRow(rowProblem('x', operand, rowOptions, true), operand, rowOptions);
  requireFewClasses('x', rows);
  requirePlaces('k', k, rows);
  if (dtype !== undefined) requireFamily('dtype', dtype, 'x', operand.dtype);
  const size = sizeOfPlaces(rows, k);
  const use = { input, options: rowOptions, others: [] };
  const destinations = namedDestinations(results, outputs, { values: size, indices: size }, use);
  return { input, rows, k, which, destinations: destinations as Record<keyof typeof results, Destination> };
}

export const topK: Operation = {
  name: 'topK',
  inputs: ['x'],
  target: 'none',
  options: optionNames,
  result: 'rows',
  results,
  count: 'k',
  mayReplace: false,
  hasLimits: true,
  bind(kernels) {
    const { plainTokens } = kernels;
    const run = kernels.arrays({ name: 'topK', js: topKRows });
    const planOf = ({ input, rows, k, which, destinations }: ReturnType<typeof read>): Call => ({
      inputs: [input],
      replaceable: 0,
      outputs: [destinations.values, destinations.indices],
      rows,
      cost: costOf(rows, which === 0 ? 1 : 2),
      work(memory, own) {
        const x = memory.input(input.operand);
        const values = memory.output(destinations.values);
        const indices = memory.output(destinations.indices);
        const step: Step = {
          rows: own,
          run: (some: ScaledRows) => run([x, values, indices], [k, which], some),
        };
        return {
          steps: k > 0 && rows.rowCount > 0 ? [step] : [],
          result: () => ({
            values: resultOf(destinations.values, values),
            indices: resultOf(destinations.indices, indices),
          }),
        };
      },
    });
    return {
      call: named('topK', (x, k, options) => {
        const object = optionsOf(options, known.sync);
        const { values } = object;
        const given = copyOptions(object);
        const isPlain = plainTokens !== undefined && values === undefined;
        return (
          (isPlain && fastTopK(plainTokens, x, k, given)) || computeCall(planOf(read(x, k, given, values)))
        );
      }),
      plan([x, k, options]) {
        const object = optionsOf(options, known.async);
        const { values } = object;
        return planOf(read(x, k, copyOptions(object), values));
      },
    };
  },
};
