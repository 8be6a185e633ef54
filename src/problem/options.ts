// The options of a call: copied, each read once, before anything is checked.

import type { MaskArray, NumberArray, Output, ShapeArray } from '../api/arrays.js';
import type { EmptyRow } from '../api/options.js';
import type { DType } from '../backends/kernels.js';
import { formatValue, isArray, rangeError, typeError } from '../errors.js';
import { described } from '../typed-arrays.js';

const none = Object.freeze({});

/** What other libraries call our options. Ignored, they would give a wrong answer without a word. */
const foreignNames = [
  ['dim', 'axis'],
  ['dims', 'shape'],
  ['ignore_index', 'ignoreIndex'],
  ['label_smoothing', 'labelSmoothing'],
] as const;

function foreignName(options: object): TypeError {
  const [name, own] = foreignNames.find(
    ([candidate]) => candidate in options,
  ) as (typeof foreignNames)[number];
  return typeError('ERR_OPTION', `${name} is not an option; did you mean ${own}?`, { argument: name });
}

/** An options object, which may be a proxy. */
export type Options = Readonly<Record<string, unknown>>;

/** An options object, or nothing. */
export function optionsOf(options: unknown): Options {
  if (options === undefined) return none;
  if (typeof options === 'object' && options !== null && !isArray(options) && !ArrayBuffer.isView(options)) {
    const isForeign =
      'dim' in options || 'dims' in options || 'ignore_index' in options || 'label_smoothing' in options;
    if (isForeign) throw foreignName(options);
    return options as Options;
  }
  throw typeError('ERR_OPTION', `options must be an object, got ${described(options)}`, {
    argument: 'options',
  });
}

/** What an option is where it is not given. */
export const defaults = { axis: -1, temperature: 1, scale: 1, gradOutput: 1 } as const;

/** The options of a function over rows as they were given: a private copy, with defaults. */
export interface GivenOptions {
  out: Output | undefined;
  shape: ShapeArray | undefined;
  axis: number;
  temperature: number | NumberArray;
  scale: number;
  mask: MaskArray | undefined;
  emptyRow: EmptyRow | undefined;
  dtype: DType | undefined;
}

/** Reads each once. */
export function copyOptions(options: Options): GivenOptions {
  const {
    out,
    shape,
    axis = defaults.axis,
    temperature = defaults.temperature,
    scale = defaults.scale,
    mask,
    emptyRow,
    dtype,
  } = options as Partial<GivenOptions>;
  return { out, shape, axis, temperature, scale, mask, emptyRow, dtype };
}

/** The same for functions that neither scale nor mask: whatever is given for that is refused. */
export function copyUnscaledOptions(fn: string, options: Options): GivenOptions {
  refuseOptions(fn, options, ['temperature', 'scale', 'mask', 'emptyRow']);
  const { out, shape, axis = defaults.axis, dtype } = options as Partial<GivenOptions>;
  const { temperature, scale } = defaults;
  return { out, shape, axis, temperature, scale, mask: undefined, emptyRow: undefined, dtype };
}

/** Options that scale or drop logits, where `fn` has none of them: to ignore one would give a wrong answer. */
export function refuseOptions(fn: string, options: Options, names: readonly string[]): void {
  for (const name of names) {
    const value = options[name];
    if (value === undefined || value === null) continue;
    throw typeError('ERR_OPTION', `${name} is not an option of ${fn}`, { argument: name, value });
  }
}

/** An option that is one of several words; the first is the default. */
export function oneOf<Choice extends string>(
  argument: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  if (value === undefined) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const list = choices.map((candidate) => `'${candidate}'`).join(', ');
  const error = typeof value === 'string' ? rangeError : typeError;
  throw error('ERR_OPTION', `${argument} must be one of ${list}, got ${formatValue(value)}`, {
    argument,
    value,
  });
}
