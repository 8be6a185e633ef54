import { jsJobs } from '../backends/js/jobs.js';
import type { Elements, Kernels } from '../backends/kernels.js';
import type { PerRow, SampleProblem } from '../backends/sampling.js';
import { formatValue, rangeError, typeError } from '../errors.js';
import { type Call, callersMemory, compute, costOf, type Memory, type Work } from '../problem/call.js';
import { requireDTypeFamily } from '../problem/loss-options.js';
import { type LargestOf, largestByKernels } from '../problem/number-options.js';
import { knownOptions, type OptionName } from '../problem/option-names.js';
import { defaults, type GivenOptions, type Options, oneOf, optionsOf } from '../problem/options.js';
import { maximumClasses, type RowProblem, readRowOptions, rowProblem } from '../problem/rows.js';
import {
  adjustmentsOf,
  type GivenAdjustments,
  heldByAdjustments,
  readAdjustments,
} from '../problem/sampling/adjustments.js';
import {
  destinationsOf,
  type GivenOuts,
  type Out,
  outMemory,
  outsOf,
  type Read,
  readOuts,
  requireApart,
} from '../problem/sampling/outputs.js';
import {
  type GivenRandomness,
  heldByRandomness,
  randomnessOf,
  readRandomness,
} from '../problem/sampling/randomness.js';
import {
  inverseTemperatures,
  readInteger,
  readSetting,
  type Setting,
  type SettingName,
  settingOf,
} from '../problem/sampling/settings.js';
import { type Operand, readOperand } from '../problem/tensors.js';
import { named, type Operation } from './operation.js';
import { argMax } from './tokens/arg-max.js';
import { fastSample } from './tokens/fast-sample.js';

const optionNames: readonly OptionName[] = [
  ...(['out', 'shape', 'axis', 'dtype', 'temperature', 'mask'] as const),
  ...(['topK', 'topP', 'minP', 'typicalP', 'topNSigma', 'minKeep', 'keepTies', 'order'] as const),
  ...(['allowed', 'bias', 'penalties', 'count', 'seed', 'step', 'uniform', 'top', 'logProbsOf'] as const),
];
const known = knownOptions('sample', optionNames);

/** Filters off. */
const offs = { temperature: 1, topK: 0, topP: 1, minP: 0, typicalP: 1, topNSigma: 0, minKeep: 1 } as const;
type FilterName = keyof typeof offs & SettingName;
const filterNames = Object.keys(offs) as FilterName[];

type Beside = 'out' | 'keepTies' | 'order' | 'allowed' | 'bias' | 'penalties';
type OfDraws = 'count' | 'seed' | 'step' | 'uniform' | 'top' | 'logProbsOf';
/** The options as they were given: a private copy, each read once, with filters off by default. */
export type GivenSampleOptions = Pick<GivenOptions, 'shape' | 'axis' | 'dtype' | 'mask'> &
  Record<FilterName | Beside | OfDraws, unknown>;

function copyOptions(options: Options): GivenSampleOptions {
  const { shape, axis = defaults.axis, dtype, mask } = options as Partial<GivenOptions>;
  const { temperature = offs.temperature, topK = offs.topK, topP = offs.topP, minP = offs.minP } = options;
  const { typicalP = offs.typicalP, topNSigma = offs.topNSigma, minKeep = offs.minKeep } = options;
  const { out, keepTies, order, allowed, bias, penalties } = options;
  const { count, seed, step, uniform, top = 0, logProbsOf } = options;
  // No object is made of it where a plain call is inlined.
  return {
    shape,
    axis,
    dtype,
    mask,
    temperature,
    topK,
    topP,
    minP,
    typicalP,
    topNSigma,
    minKeep,
    out,
    keepTies,
    order,
    allowed,
    bias,
    penalties,
    count,
    seed,
    step,
    uniform,
    top,
    logProbsOf,
  };
}

/** A call whose every argument has been checked. */
interface SampleCall {
  readonly input: Operand;
  readonly rows: RowProblem;
  readonly problem: Omit<SampleProblem, 'logits' | 'outputs'>;
  readonly outs: readonly Out[];
  readonly seed: unknown;
}

/** Options that have been read, and not yet checked against the rows. */
interface ReadSampleOptions {
  readonly settings: readonly Setting[];
  readonly isTemperatureLast: boolean;
  readonly keepsTies: boolean;
  readonly adjustments: GivenAdjustments;
  readonly randomness: GivenRandomness;
  readonly count: number;
  readonly top: number;
  readonly isTopRaw: boolean;
  readonly outs: GivenOuts;
}

const none: ReadonlyMap<unknown, string> = new Map();

function readOptions(given: GivenSampleOptions): ReadSampleOptions {
  const { dtype, keepTies, order, logProbsOf, allowed, bias, penalties, seed, step, uniform } = given;
  if (keepTies !== undefined && typeof keepTies !== 'boolean') {
    const message = `keepTies must be true or false, got ${formatValue(keepTies)}`;
    throw typeError('ERR_OPTION', message, { argument: 'keepTies', value: keepTies });
  }
  return {
    // First, as plain calls read them.
    outs: readOuts(given.out),
    settings: filterNames.map((name) => readSetting(name, given[name], dtype)),
    isTemperatureLast:
      oneOf('order', order, ['temperature-first', 'temperature-last'], none) === 'temperature-last',
    keepsTies: keepTies === true,
    adjustments: readAdjustments(allowed, bias, penalties, dtype),
    randomness: readRandomness(seed, step, uniform, dtype),
    count: readInteger('count', given.count === undefined ? 1 : given.count, 1),
    top: readInteger('top', given.top, 0),
    isTopRaw: oneOf('logProbsOf', logProbsOf, ['raw', 'processed'], none) === 'raw',
  };
}

/** Reads everything, then checks everything. `isPrivate`: the caller may change its memory meanwhile. */
function read(
  logits: unknown,
  given: GivenSampleOptions,
  isPrivate: boolean,
  largestOf: LargestOf | undefined,
): SampleCall {
  const { dtype } = given;
  const { temperature, scale } = defaults;
  const { shape, axis, mask } = given;
  const rowOptions = readRowOptions({ shape, axis, mask, dtype, temperature, scale, emptyRow: undefined });
  const options = readOptions(given);
  const operand = readOperand('logits', logits, dtype);
  const input = { argument: 'logits', operand };
  requireDTypeFamily(dtype, input);

  const rows = rowProblem('logits', operand, rowOptions, false);
  const { rowCount, length } = rows;
  if (length > maximumClasses) {
    const message = `there are ${length} classes; tokens go to ${maximumClasses}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'logits', value: length });
  }
  const { count, top, isTopRaw, keepsTies, isTemperatureLast } = options;
  if (top > length) {
    const message = `top ${top} is more than the ${length} classes`;
    throw rangeError('ERR_K', message, { argument: 'top', value: top });
  }
  const settings = {} as Record<FilterName, PerRow>;
  for (const setting of options.settings) settings[setting.name as FilterName] = settingOf(setting, rowCount);
  const multiplier = inverseTemperatures(settings.temperature);
  const { topK, topP, minP, typicalP, topNSigma, minKeep } = settings;
  const problem = {
    adjustments: adjustmentsOf(options.adjustments, rows, isPrivate, largestOf),
    filters: { multiplier, topK, topP, minP, typicalP, topNSigma, minKeep, isTemperatureLast, keepsTies },
    randomness: randomnessOf(options.randomness, rowCount, count, isPrivate),
    count,
    top,
    isTopRaw,
  };
  const countAxis = given.count === undefined ? undefined : count;
  const outs = outsOf(options.outs, operand, { rows, count, countAxis, top });
  if (options.outs) {
    const { adjustments, randomness } = options;
    const read: Read[] = [['logits', operand]];
    if (rowOptions.mask) read.push(['mask', rowOptions.mask]);
    for (const { name, value } of options.settings)
      if (typeof value !== 'number') read.push([name, value.held]);
    requireApart(outs, read.concat(heldByAdjustments(adjustments), heldByRandomness(randomness)));
  }
  return { input: operand, rows, problem, outs, seed: options.randomness.reported };
}

function workOf(
  { sampling }: Kernels,
  { input, problem, outs, seed }: SampleCall,
  memory: Memory,
  rows: RowProblem,
  isPrivate: boolean,
): Work {
  const logits: Elements = memory.input(input);
  const { outputs, result } = outMemory(outs, input, isPrivate);
  const { adjustments, filters, randomness, count, top, isTopRaw } = problem;
  const whole: SampleProblem = { logits, adjustments, filters, randomness, count, top, isTopRaw, outputs };
  const runs = rows.rowCount > 0 ? sampling.stepsOf(whole, rows, isPrivate) : [];
  return {
    steps: runs.map((run) => ({ rows, run: (some) => run(whole, some) })),
    result() {
      const results = result();
      if (seed !== undefined) results.seed = seed;
      return results;
    },
  };
}

function planOf(kernels: Kernels, call: SampleCall): Call {
  const { input, rows, outs, problem } = call;
  const isJs = kernels.sampling.isJs({ ...problem, logits: input }, rows);
  return {
    inputs: [{ argument: 'logits', operand: input }],
    replaceable: 0,
    outputs: destinationsOf(outs),
    rows,
    cost: costOf(rows, 4),
    ...(isJs ? { jobs: jsJobs } : {}),
    work: (memory, own) => workOf(kernels, call, memory, own, true),
  };
}

export const sample: Operation = {
  name: 'sample',
  inputs: ['logits'],
  target: 'none',
  options: optionNames,
  result: 'tokens',
  mayReplace: false,
  hasLimits: true,
  bind(kernels) {
    const largestOf = largestByKernels(kernels, argMax.kernel);
    return {
      call: named('sample', (logits, options) => {
        const given = copyOptions(optionsOf(options, known.sync));
        const { plainTokens } = kernels;
        const result = plainTokens && fastSample(plainTokens, logits, given);
        if (result !== undefined) return result;
        const call = read(logits, given, false, largestOf);
        return compute(workOf(kernels, call, callersMemory, call.rows, false));
      }),
      plan: ([logits, options]) =>
        planOf(kernels, read(logits, copyOptions(optionsOf(options, known.async)), true, largestOf)),
    };
  },
};
