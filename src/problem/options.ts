// The options of a call: copied, each read once, before anything is checked.

import type { MaskArray, NumberArray, Output, ShapeArray } from '../api/arrays.js';
import type { EmptyRow } from '../api/options.js';
import type { DType } from '../backends/kernels.js';
import { formatValue, isArray, rangeError, typeError } from '../errors.js';
import { type KnownOptions, refuseUnknown } from './option-names.js';

const none = Object.freeze({});

/** An options object, which may be a proxy. */
export type Options = Readonly<Record<string, unknown>>;

/**
 * An options object, or nothing. Ignored, an option that the function has not would give a wrong answer without a word:
 * each of the object's own is looked at.
 */
export function optionsOf(options: unknown, known: KnownOptions): Options {
  if (options === undefined) return none;
  if (typeof options === 'object' && options !== null && !isArray(options) && !ArrayBuffer.isView(options)) {
    let hasNames = false;
    for (const name in options) {
      hasNames = true;
      // What most calls have is compared first: a look into the set takes several nanoseconds.
      const isOfMost = name === known.output || (known.hasShape && (name === 'shape' || name === 'axis'));
      if (!isOfMost && !known.names.has(name)) refuseUnknown(name, options as Options, known);
    }
    // A Map, a promise and others have what they hold elsewhere: nothing of it would be read.
    if (hasNames || foreignObject(options) === undefined) return options as Options;
  }
  throw typeError(
    'ERR_OPTION',
    `options must be an object, got ${foreignObject(options) ?? formatValue(options)}${axisHint(options)}`,
    {
      argument: 'options',
    },
  );
}

/** 'a Map' and so on; undefined for plain objects and whatever else has no name of its own. */
function foreignObject(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || isArray(value) || ArrayBuffer.isView(value))
    return undefined;
  const [, name = ''] = /^\[object (\w+)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  if (name === 'Object' || name === '') return undefined;
  if (name === 'Promise') return 'a Promise: await it first';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** In other libraries the axis stands there. */
const axisHint = (options: unknown): string =>
  Number.isInteger(options) ? `; the axis is the option { axis: ${options} }` : '';

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

/** The same for functions that neither scale nor mask. */
export function copyUnscaledOptions(options: Options): GivenOptions {
  const { out, shape, axis = defaults.axis, dtype } = options as Partial<GivenOptions>;
  const { temperature, scale } = defaults;
  return { out, shape, axis, temperature, scale, mask: undefined, emptyRow: undefined, dtype };
}

/** These options alone, each read once: a function that has not all that copyOptions reads must not look at others. */
export const onlyOptions = (options: Options, names: readonly string[]): Options =>
  Object.fromEntries(names.map((name) => [name, options[name]]));

/** An option that is one of several words; the first is the default. `foreign`: what other libraries' values are here. */
export function oneOf<Choice extends string>(
  argument: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
  foreign: ReadonlyMap<unknown, string>,
): Choice {
  if (value === undefined) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value;
  const same = choices.find((candidate) => candidate === word);
  const meant = same ? `'${same}' here` : foreign.get(word);
  const hint = meant === undefined ? '' : `; that is ${meant}`;
  const list = choices.map((candidate) => `'${candidate}'`).join(', ');
  const error = typeof value === 'string' ? rangeError : typeError;
  throw error('ERR_OPTION', `${argument} must be one of ${list}, got ${formatValue(value)}${hint}`, {
    argument,
    value,
  });
}

/** What 'nan' and 'zero' are where others have numbers. */
export const foreignNumbers: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [Number.NaN, "'nan' here"],
  ...[0, 'zeros', '0'].map((name) => [name, "'zero' here"] as const),
]);
