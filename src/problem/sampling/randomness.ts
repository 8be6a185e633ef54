// The options seed, step and uniform of sample: where its random numbers come from.

import type { DType } from '../../backends/kernels.js';
import type { Randomness } from '../../backends/sampling.js';
import { formatValue, isArray, rangeError, typeError } from '../../errors.js';
import { getRandomValues } from '../../platform.js';
import { allocateOrThrow, kindOf, lengthOf, rawLengthOf } from '../../typed-arrays.js';
import type { Held } from '../layout-memory.js';
import { isNumbers, type Numbers, readNumbers } from '../number-options.js';

/** Integers of up to 64 bits as they were given: one, or one per row. */
interface GivenWords {
  readonly argument: 'seed' | 'step';
  readonly values: ArrayLike<unknown>;
  readonly isOne: boolean;
  readonly held: Held | undefined;
}

export interface GivenRandomness {
  readonly seed: GivenWords;
  readonly step: GivenWords;
  readonly uniform: Numbers | undefined;
  /** What the result says: the seed as it was given, or the one that was made. */
  readonly reported: unknown;
}

/** Made many at a time, which is what takes long. */
const fresh = new Uint32Array(256);
let used = fresh.length;

/** 53 bits: a number that JSON keeps. */
export function freshSeed(): number {
  if (used === fresh.length) {
    getRandomValues(fresh);
    used = 0;
  }
  const low = fresh[used] as number;
  const high = fresh[used + 1] as number;
  used += 2;
  return (high % 2 ** 21) * 2 ** 32 + low;
}

export function readRandomness(
  seed: unknown,
  step: unknown,
  uniform: unknown,
  dtype: DType | undefined,
): GivenRandomness {
  if (uniform !== undefined && (seed !== undefined || step !== undefined)) {
    const message = 'uniform cannot be used with seed or step, which make such numbers';
    throw rangeError('ERR_OPTION', message, { argument: 'uniform' });
  }
  const isFresh = seed === undefined && uniform === undefined;
  const reported = isFresh ? freshSeed() : seed;
  return {
    seed: readWords('seed', reported === undefined ? 0 : reported),
    step: readWords('step', step === undefined ? 0 : step),
    uniform: uniform === undefined ? undefined : readUniform(uniform, dtype),
    reported,
  };
}

function readUniform(uniform: unknown, dtype: DType | undefined): Numbers {
  if (isNumbers(uniform)) return readNumbers('uniform', uniform, 'ERR_OPTION', dtype);
  const message = `uniform must be numbers, one a draw, got ${formatValue(uniform)}`;
  throw typeError('ERR_OPTION', message, { argument: 'uniform', value: uniform });
}

function readWords(argument: 'seed' | 'step', value: unknown): GivenWords {
  if (typeof value === 'number' || typeof value === 'bigint')
    return { argument, values: [value], isOne: true, held: undefined };
  if (isArray(value)) {
    return { argument, values: copyIntegers(argument, value), isOne: false, held: undefined };
  }
  if (kindOf(value) !== undefined)
    return {
      argument,
      values: value as ArrayLike<unknown>,
      isOne: false,
      held: { data: value, tensor: undefined },
    };
  const message = `${argument} must be an integer or an array of one per row, got ${formatValue(value)}`;
  throw typeError('ERR_OPTION', message, { argument, value });
}

/** No memory is taken before there are numbers for it: a length alone may be anything. */
function copyIntegers(argument: string, array: readonly unknown[]): unknown[] {
  const copy: unknown[] = [];
  const { length } = array;
  for (let index = 0; index < length; index++) {
    const value = array[index];
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      const message = `${argument}[${index}] must be an integer, got ${formatValue(value)}`;
      throw typeError('ERR_OPTION', message, { argument, index, value });
    }
    copy.push(value);
  }
  return copy;
}

/** The bounds of a signed and of an unsigned integer of 64 bits. */
const least = -(2n ** 63n);
const most = 2n ** 64n;

/** Of so many rows the words have their place: to make new ones takes as long as a short row. */
const fewRows = 64;
export const ownWords = { seed: new Uint32Array(2 * fewRows), step: new Uint32Array(2 * fewRows) } as const;

function setWords(words: Uint32Array, index: number, integer: number): void {
  words[2 * index] = integer >>> 0;
  words[2 * index + 1] = Math.floor(integer / 2 ** 32) >>> 0;
}

/**
 * Two words of each, the lower one first. Steps are not negative. `isPrivate`: they are kept beyond the call; the others are
 * in memory that the next call has, too.
 */
function wordsOf({ argument, values, isOne }: GivenWords, rows: number, isPrivate: boolean): Uint32Array {
  const length = isArray(values) ? values.length : lengthOf(argument, values);
  if (length !== (isOne ? 1 : rows)) {
    const message = `${argument} has ${length} elements, but there ${rows === 1 ? 'is 1 row' : `are ${rows} rows`}`;
    throw rangeError('ERR_SHAPE', message, { argument, value: length });
  }
  const words =
    isPrivate || length > fewRows
      ? allocateOrThrow(2 * length, () => new Uint32Array(2 * length))
      : ownWords[argument];
  for (let index = 0; index < length; index++) {
    const value = values[index];
    const problem = problemOf(argument, value);
    if (problem !== undefined) {
      const shown = isOne ? argument : `${argument}[${index}] =`;
      const place = isOne ? {} : { row: index, index };
      const error = problem === notInteger ? typeError : rangeError;
      throw error('ERR_OPTION', `${shown} ${formatValue(value)} ${problem}`, { argument, value, ...place });
    }
    if (typeof value === 'number') setWords(words, index, value);
    else {
      words[2 * index] = Number(BigInt.asUintN(32, value as bigint));
      words[2 * index + 1] = Number(BigInt.asUintN(32, (value as bigint) >> 32n));
    }
  }
  return words;
}

/**
 * Whether it is what most calls have, one number for all rows or a Uint32Array of one a row, with nothing wrong: ownWords has
 * its words then. No result may share its memory.
 */
export function plainWords(argument: 'seed' | 'step', value: unknown, rows: number): boolean {
  const words = ownWords[argument];
  if (rows > fewRows) return false;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || (argument === 'step' && value < 0)) return false;
    setWords(words, 0, value);
    return true;
  }
  if (kindOf(value) !== 'Uint32Array' || rawLengthOf(value) !== rows) return false;
  for (let row = 0; row < rows; row++) setWords(words, row, (value as Uint32Array)[row] as number);
  return true;
}

const notInteger = 'is not an integer';

/** Why it is none of 64 bits, if it is not. */
function problemOf(argument: 'seed' | 'step', value: unknown): string | undefined {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return notInteger;
    if (!Number.isSafeInteger(value)) return 'is beyond 2^53; give a bigint';
  } else if (typeof value !== 'bigint') return notInteger;
  if (argument === 'step' && value < 0) return 'is negative';
  // A safe integer has fewer than 64 bits.
  return typeof value === 'bigint' && (value < least || value >= most) ? 'has more than 64 bits' : undefined;
}

export const heldByRandomness = ({
  seed,
  step,
  uniform,
}: GivenRandomness): (readonly [string, Held | undefined])[] => [
  ['seed', seed.held],
  ['step', step.held],
  ['uniform', uniform?.held],
];

/** Checked against the draws. */
export function randomnessOf(
  { seed, step, uniform }: GivenRandomness,
  rows: number,
  count: number,
  isPrivate: boolean,
): Randomness {
  return {
    uniform: uniform && uniformsOf(uniform, rows, count),
    seeds: wordsOf(seed, rows, isPrivate),
    hasSeedPerRow: !seed.isOne,
    steps: wordsOf(step, rows, isPrivate),
    hasStepPerRow: !step.isOne,
  };
}

function uniformsOf({ values }: Numbers, rows: number, count: number): Float64Array {
  if (values.length !== rows * count) {
    const message = `uniform has ${values.length} elements, but there are ${rows * count} draws: ${count} in each of ${rows} rows`;
    throw rangeError('ERR_SHAPE', message, { argument: 'uniform', value: values.length });
  }
  const index = values.findIndex((value) => !(value >= 0 && value < 1));
  if (index < 0) return values;
  const value = values[index];
  const message = `uniform[${index}] = ${value} is outside [0, 1)`;
  throw rangeError('ERR_OPTION', message, { argument: 'uniform', index, value });
}
