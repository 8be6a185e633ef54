// Which options a function has, and what is said of a name that is none of them.

import { cut, typeError } from '../errors.js';
import { distanceOf } from '../nearest.js';

/** Every option of a synchronous function. */
const optionNames = [
  ...([
    'out',
    'grad',
    'logProbs',
    'shape',
    'axis',
    'dtype',
    'temperature',
    'scale',
    'mask',
    'emptyRow',
  ] as const),
  ...(['target', 'alpha', 'weight', 'ignoreIndex', 'labelSmoothing', 'reduction', 'emptyMean'] as const),
  'gradOutput',
  'values',
  ...(['topK', 'topP', 'minP', 'typicalP', 'topNSigma', 'minKeep', 'keepTies', 'order'] as const),
  ...(['allowed', 'bias', 'penalties', 'count', 'seed', 'step', 'uniform', 'top', 'logProbsOf'] as const),
  'hard',
  ...(['offset', 'classes', 'rows'] as const),
] as const;
export type OptionName = (typeof optionNames)[number];

/** What the asynchronous twins have beside them. */
const asyncOptionNames = ['signal', 'transfer'] as const;
type AnyOptionName = OptionName | (typeof asyncOptionNames)[number];
const allNames: readonly AnyOptionName[] = [...optionNames, ...asyncOptionNames];

/** The options of one function. */
export interface KnownOptions {
  readonly fn: string;
  /** The option that most calls have. */
  readonly output: 'out' | 'grad';
  /** Whether it has shape and axis, as most have. */
  readonly hasShape: boolean;
  readonly names: ReadonlySet<string>;
}

/** What a function and its twin may be given. */
export interface KnownByTwin {
  readonly sync: KnownOptions;
  readonly async: KnownOptions;
}

export function knownOptions(fn: string, names: readonly OptionName[]): KnownByTwin {
  const output = names.includes('out') ? 'out' : 'grad';
  const hasShape = names.includes('shape');
  return {
    sync: { fn, output, hasShape, names: new Set(names) },
    async: { fn, output, hasShape, names: new Set([...names, ...asyncOptionNames]) },
  };
}

/** What other libraries and papers call our options, where no letters say it. */
const foreignNames: Readonly<Record<string, readonly AnyOptionName[]>> = {
  dim: ['axis'],
  dims: ['shape'],
  size: ['shape'],
  t: ['temperature'],
  tau: ['temperature'],
  temp: ['temperature'],
  type: ['dtype'],
  output: ['out', 'grad'],
  result: ['out', 'grad'],
  inplace: ['out', 'grad'],
  where: ['mask'],
  padding: ['mask', 'ignoreIndex'],
  paddingidx: ['ignoreIndex', 'mask'],
  bias: ['mask'],
  smoothing: ['labelSmoothing'],
  epsilon: ['labelSmoothing'],
  eps: ['labelSmoothing'],
  reduce: ['reduction'],
  average: ['reduction'],
  sizeaverage: ['reduction'],
  labels: ['target'],
  label: ['target'],
  gradient: ['grad'],
  gradloss: ['gradOutput'],
  upstream: ['gradOutput'],
  logits: ['logProbs'],
  returns: ['values'],
  logsoftmax: ['logProbs'],
  abort: ['signal'],
  abortsignal: ['signal'],
};

/** Without what spellings differ in: ignore_index is ignoreIndex. */
const letters = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The option that was most likely meant: one of the function's own where two are as near. */
function meantBy(name: string, { names }: KnownOptions): string {
  const word = letters(name.slice(0, 40));
  const foreign = Object.hasOwn(foreignNames, word) ? foreignNames[word] : undefined;
  if (foreign) return foreign.find((option) => names.has(option)) ?? (foreign[0] as string);
  const farness = (option: string): number => {
    const plain = letters(option);
    const isPart = word.length > 2 && (plain.includes(word) || word.includes(plain));
    // The longest of several parts; a letter that is missing or too much says more.
    const far = Math.min(distanceOf(word, plain), isPart ? 2 - plain.length / 100 : Infinity);
    return far + (names.has(option) ? 0 : 0.5);
  };
  return [...allNames].sort((a, b) => farness(a) - farness(b))[0] as string;
}

/**
 * Refuses a key of an options object that is no option of the function, if it is the object's own. Options of others are
 * let through where they ask for nothing.
 */
export function refuseUnknown(
  name: string,
  options: Readonly<Record<string, unknown>>,
  known: KnownOptions,
): void {
  if (!Object.hasOwn(options, name)) return;
  const value = options[name];
  if ((value === undefined || value === null) && (allNames as readonly string[]).includes(name)) return;
  // So that one sees what it begins and ends with.
  const short = cut(name, 40);
  const shown = /^[\w$]+…?$/.test(short) ? short : JSON.stringify(short);
  const details = { argument: shown, value };
  const fail = (problem: string) => typeError('ERR_OPTION', `${shown} ${problem}`, details);
  // Losses with classes but without the option have it as an argument.
  const isArgument = (option: string) =>
    option === 'target' && known.names.has('ignoreIndex') && !known.names.has('target');
  const asArgument = 'is not an option; the target is the argument before the options';
  if (isArgument(name)) throw fail(asArgument);
  if ((asyncOptionNames as readonly string[]).includes(name))
    throw fail(`is not an option of ${known.fn}, but of ${known.fn}Async`);
  if ((optionNames as readonly string[]).includes(name)) throw fail(`is not an option of ${known.fn}`);
  const meant = meantBy(name, known);
  if (known.names.has(meant)) throw fail(`is not an option; did you mean ${meant}?`);
  if (isArgument(meant)) throw fail(asArgument);
  throw fail(`is not an option; the nearest is ${meant}, which ${known.fn} does not have`);
}
