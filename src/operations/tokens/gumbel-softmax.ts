import type { Step } from '../../backends/jobs.js';
import { drawNumbers, gumbelNoiseRows, makeHardRows, writeDraw } from '../../backends/js/sampling/gumbel.js';
import { drawOf } from '../../backends/js/sampling/uniforms.js';
import type { ArrayRows, Elements, Kernels, UnaryRows } from '../../backends/kernels.js';
import type { Randomness } from '../../backends/sampling.js';
import { formatValue, typeError } from '../../errors.js';
import { type Call, computeCall, costOf, type Memory, type Work } from '../../problem/call.js';
import { nothingOf, withEmptyRow } from '../../problem/empty-rows.js';
import { type KnownOptions, knownOptions, type OptionName } from '../../problem/option-names.js';
import { copyOptions, type GivenOptions, optionsOf } from '../../problem/options.js';
import {
  type Destination,
  givenDestination,
  newDestination,
  readOutput,
  resultOf,
} from '../../problem/outputs.js';
import { type RowProblem, readRowOptions, rowProblem } from '../../problem/rows.js';
import { heldByRandomness, randomnessOf, readRandomness } from '../../problem/sampling/randomness.js';
import { type Input, readOperand } from '../../problem/tensors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { named, type Operation } from '../operation.js';
import { rowOptionNames } from '../row-operation.js';
import { softmax } from '../softmax.js';
import { argMax } from './arg-max.js';

interface GivenGumbelOptions extends GivenOptions {
  readonly hard: unknown;
  readonly seed: unknown;
  readonly step: unknown;
}

/** A call whose every argument has been checked. */
interface GumbelCall {
  readonly input: Input;
  /** Their multiplier is 1 / temperature. */
  readonly rows: RowProblem;
  readonly scale: number;
  readonly isHard: boolean;
  readonly randomness: Randomness;
  readonly output: Destination;
}

const optionNames: readonly OptionName[] = [...rowOptionNames, 'hard', 'seed', 'step'];
const known = knownOptions('gumbelSoftmax', optionNames);

/** A private copy of the options. */
function copyGiven(options: unknown, known: KnownOptions): GivenGumbelOptions {
  const object = optionsOf(options, known);
  const { hard, seed, step } = object as Partial<GivenGumbelOptions>;
  return { ...copyOptions(object), hard, seed, step };
}

function readHard(hard: unknown): boolean {
  if (hard === undefined || typeof hard === 'boolean') return hard === true;
  throw typeError('ERR_OPTION', `hard must be true or false, got ${formatValue(hard)}`, {
    argument: 'hard',
    value: hard,
  });
}

/** Reads everything, then checks everything. */
function read(x: unknown, given: GivenGumbelOptions): GumbelCall {
  const options = readRowOptions(given);
  const { dtype } = options;
  const input: Input = { argument: 'x', operand: readOperand('x', x, dtype) };
  const { operand } = input;
  const out = given.out === undefined ? undefined : readOutput('out', given.out, operand, dtype);
  const isHard = readHard(given.hard);
  const randomness = readRandomness(given.seed, given.step, undefined, dtype);
  // The scale is the noise's kernel's: what is nothing before it depends on its sign.
  const unscaled = rowProblem('x', operand, { ...options, scale: 1 }, true);
  const rows = withEmptyRow(unscaled, operand, options, nothingOf(options.scale));
  const { elements, shape, rowCount } = rows;
  const output =
    out === undefined
      ? newDestination('out', 'x', operand, dtype, elements, shape)
      : givenDestination(out, {
          inputs: [input],
          mayReplace: true,
          others: heldByRandomness(randomness),
          options,
          elements,
          shape,
          owner: 'the result',
        });
  return {
    input,
    rows,
    scale: options.scale,
    isHard,
    randomness: randomnessOf(randomness, rowCount, 1, true),
    output,
  };
}

interface GumbelKernels {
  readonly noise: ArrayRows;
  readonly argMax: UnaryRows;
  readonly softmax: UnaryRows;
}

const kernelsOf = (kernels: Kernels): GumbelKernels => ({
  noise: kernels.arrays({ name: 'gumbelNoise', js: gumbelNoiseRows }),
  argMax: kernels.unary(argMax.kernel),
  softmax: kernels.unary(softmax.kernel),
});

/** Logits with noise: in the result's memory if that is of the type that they are computed in. */
function noisyOf({ dtype }: Elements, out: Elements, elements: number): Elements {
  const computed = dtype === 'float64' ? dtype : 'float32';
  if (out.dtype === computed) return out;
  const make = () => (computed === 'float64' ? new Float64Array(elements) : new Float32Array(elements));
  return { data: allocateOrThrow(elements, make), dtype: computed };
}

function workOf(kernels: GumbelKernels, call: GumbelCall, memory: Memory, rows: RowProblem): Work {
  const { input, scale, isHard, randomness, output } = call;
  const x = memory.input(input.operand);
  const out = memory.output(output);
  const result = () => resultOf(output, out);
  if (output.elements === 0) return { steps: [], result };
  const noisy = noisyOf(x, out, output.elements);
  const { rowCount } = rows;
  const draws = allocateOrThrow(rowCount, () => new Float64Array(rowCount * drawNumbers));
  for (let row = 0; row < rowCount; row++) writeDraw(draws, row, drawOf(randomness, row));
  const found = isHard ? allocateOrThrow(rowCount, () => new Int32Array(rowCount)) : undefined;
  const arrays: readonly Elements[] = [x, { data: draws, dtype: 'float64' }, noisy];
  const steps: Step[] = [{ rows, run: (some) => kernels.noise(arrays, [drawNumbers, scale], some) }];
  // Of the logits with noise: probabilities may be equal.
  if (found)
    steps.push({ rows, run: (some) => kernels.argMax(noisy, { data: found, dtype: 'int32' }, some) });
  steps.push({ rows, run: (some) => kernels.softmax(noisy, out, some) });
  if (found) steps.push({ rows, run: (some) => makeHardRows(out, found, some) });
  return { steps, result };
}

const planOf = (kernels: GumbelKernels, call: GumbelCall): Call => ({
  inputs: [call.input],
  replaceable: 1,
  outputs: [call.output],
  rows: call.rows,
  cost: costOf(call.rows, 16),
  work: (memory, own) => workOf(kernels, call, memory, own),
});

export const gumbelSoftmax: Operation = {
  name: 'gumbelSoftmax',
  inputs: ['x'],
  target: 'none',
  options: optionNames,
  result: 'rows',
  isRandom: true,
  mayReplace: true,
  hasLimits: true,
  bind(all) {
    const kernels = kernelsOf(all);
    return {
      call: named('gumbelSoftmax', (x, options) =>
        computeCall(planOf(kernels, read(x, copyGiven(options, known.sync)))),
      ),
      plan: ([x, options]) => planOf(kernels, read(x, copyGiven(options, known.async))),
    };
  },
};
