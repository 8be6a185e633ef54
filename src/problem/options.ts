// Options that several functions share, and how one of any function is read.

import type { MaskArray, NumberArray, Output, ShapeArray } from '../api/arrays.js';
import type { DType } from '../backends/kernels.js';
import { isArray, rangeError, shown, typeError } from '../errors.js';
import { described } from '../typed-arrays.js';

/** Options of every function over rows. */
export interface ShapeOptions {
  /** The array's shape, row-major. Without it a bare array is one row; a tensor has a shape of its own. */
  readonly shape?: ShapeArray | undefined;
  /** The axis the function works along; negative counts from the end. Default −1, the last. */
  readonly axis?: number | undefined;
}

/** What logits are multiplied by: scale / temperature. */
export interface ScalingOptions {
  /**
   * τ: logits are divided by it. A number, or one a row. At least 0; 0 and Infinity are taken as limits where they
   * exist. Default 1.
   */
  readonly temperature?: number | NumberArray | undefined;
  /** Logits are multiplied by it, as by attention's 1/√d. Finite. Default 1. */
  readonly scale?: number | undefined;
}

/** Which elements take part. */
export interface MaskOptions {
  /**
   * Which elements count: those where it is not 0. A Uint8Array of the array's size or that of some of its last axes,
   * or a tensor of bool or integers that broadcasts to the array's shape from the right, as a tokenizer's int64
   * attention mask does.
   */
  readonly mask?: MaskArray | undefined;
}

/** The type of elements. */
export interface DTypeOptions<D extends DType | undefined> {
  /**
   * What new results hold. Default: what the first input holds. For a bare Uint16Array it says what that holds, too.
   * float64 goes with itself alone, the others with each other.
   */
  readonly dtype?: D | undefined;
}

/** Where a result goes. */
export interface OutOptions<Out extends Output | undefined> {
  /**
   * Where the result goes, an array or a tensor: an input itself (in place, with the same dtype), or memory that no
   * input has a part of. Sharing is seen by the buffers' identity: two SharedArrayBuffer objects of the same memory
   * look like different ones.
   */
  readonly out?: Out | undefined;
}

const none = Object.freeze({});

/** What other libraries call our options. Ignored, they would give a wrong answer without a word. */
const foreignNames = [
  ['dim', 'axis'],
  ['dims', 'shape'],
  ['ignore_index', 'ignoreIndex'],
  ['label_smoothing', 'labelSmoothing'],
] as const;

function foreignName(fn: string, options: object): TypeError {
  const [name, own] = foreignNames.find(
    ([candidate]) => candidate in options,
  ) as (typeof foreignNames)[number];
  return typeError('ERR_OPTION', `${name} is no option; is ${own} meant?`, { fn, argument: name });
}

/** An options object, or nothing. */
export function optionsOf<Options extends object>(
  fn: string,
  options: Options | undefined,
): Partial<Options> {
  if (options === undefined) return none;
  if (typeof options === 'object' && options !== null && !isArray(options) && !ArrayBuffer.isView(options)) {
    const isForeign =
      'dim' in options || 'dims' in options || 'ignore_index' in options || 'label_smoothing' in options;
    if (isForeign) throw foreignName(fn, options);
    return options;
  }
  throw typeError('ERR_OPTION', `options must be an object, got ${described(options)}`, {
    fn,
    argument: 'options',
  });
}

type RowFunctionOptions = ShapeOptions &
  ScalingOptions &
  MaskOptions &
  DTypeOptions<DType | undefined> &
  OutOptions<Output | undefined>;

/** The options of a function over rows that writes to `out`: a private copy. */
export type GivenOptions = { -readonly [Name in keyof RowFunctionOptions]: RowFunctionOptions[Name] };

/** Reads each once. */
export function readOptions(fn: string, options: RowFunctionOptions | undefined): GivenOptions {
  const { out, shape, axis = -1, temperature = 1, scale = 1, mask, dtype } = optionsOf(fn, options);
  return { out, shape, axis, temperature, scale, mask, dtype };
}

/** Options of other functions: to ignore one would give a wrong answer without a word. */
export function refuseOptions(fn: string, options: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    throw typeError('ERR_OPTION', `${name} is no option of ${fn}`, { fn, argument: name, value });
  }
}

/** An option that is one of several words; the first is the default. */
export function oneOf<Choice extends string>(
  fn: string,
  argument: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  if (value === undefined) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const list = choices.map((candidate) => `'${candidate}'`).join(', ');
  const error = typeof value === 'string' ? rangeError : typeError;
  throw error('ERR_OPTION', `${argument} must be one of ${list}, got ${shown(value)}`, {
    fn,
    argument,
    value,
  });
}
