// Plain calls of argMax, topK and tokenLogProbs (../fast-path.ts): float32 rows of the last axis, and a place for each
// result. Nothing is made for them but the object that is returned. What is no such call is left to the general way.

import type { PlainTokens } from '../../backends/plain-tokens.js';
import type { GivenOptions } from '../../problem/options.js';
import { maximumClasses } from '../../problem/rows.js';
import { bufferOf, kindOf, rawLengthOf } from '../../typed-arrays.js';
import { plainLength } from '../fast-path.js';

/** Places for results, as `out` has them. */
type Given = Record<string, unknown>;

/**
 * Whether `out` is an object that holds nothing but what some names stand for. No field is read: that may run user code, and
 * happens once.
 */
export function isOutOf(out: unknown, names: readonly string[]): out is Given {
  if (typeof out !== 'object' || out === null || ArrayBuffer.isView(out)) return false;
  let hasNames = false;
  for (const name in out) {
    if (!names.includes(name)) return false;
    hasNames = true;
  }
  return hasNames;
}

/** As long as it has to be. */
export const isFloats = (array: unknown, length: number): array is Float32Array =>
  kindOf(array) === 'Float32Array' && rawLengthOf(array) === length;
export const isIntegers = (array: unknown, length: number): array is Int32Array =>
  kindOf(array) === 'Int32Array' && rawLengthOf(array) === length;

/** Whether typed arrays are in different buffers. */
export const areApart = (a: unknown, b: unknown): boolean => bufferOf(a) !== bufferOf(b);

/** plainLength of rows whose classes have numbers. */
const classCount = (options: GivenOptions, logits: unknown): number => {
  const length = plainLength(options, logits);
  return length > maximumClasses ? 0 : length;
};

/** What argMax returns to a plain call; undefined if it is none. */
export function fastArgMax({ argMax }: PlainTokens, x: unknown, options: GivenOptions): unknown {
  const { out } = options;
  if (out === undefined) return undefined;
  const length = classCount(options, x);
  if (length === 0) return undefined;
  const rows = rawLengthOf(x) / length;
  if (!isIntegers(out, rows) || !areApart(x, out)) return undefined;
  argMax(x as Float32Array, out, rows, length);
  return out;
}

const placeNames = ['values', 'indices'];

/** The same of topK. */
export function fastTopK({ topK }: PlainTokens, x: unknown, k: unknown, options: GivenOptions): unknown {
  const { out } = options as { out: unknown };
  if (!isOutOf(out, placeNames)) return undefined;
  const length = classCount(options, x);
  if (length === 0 || !Number.isInteger(k) || (k as number) < 1 || (k as number) > length) return undefined;
  const { values, indices } = out;
  // The general way has what was read.
  options.out = { values, indices } as never;
  const rows = rawLengthOf(x) / length;
  const places = rows * (k as number);
  if (!isFloats(values, places) || !isIntegers(indices, places)) return undefined;
  if (!areApart(x, values) || !areApart(x, indices) || !areApart(values, indices)) return undefined;
  topK(x as Float32Array, values, indices, rows, length, k as number);
  return options.out;
}

const likelihoodNames = ['logProbs', 'ranks', 'logSumExp', 'topLogProbs', 'topTokens'];
/** Tokens are copied before they are checked: another thread may have their memory, too. */
const ownTokens = new Int32Array(64);

/** How many there are, all classes; 0: others. */
function readTokens(tokens: unknown, length: number): number {
  const count = rawLengthOf(tokens);
  if (count > ownTokens.length) return 0;
  for (let i = 0; i < count; i++) {
    const token = (tokens as Int32Array)[i] as number;
    if (!(token >= 0 && token < length)) return 0;
    ownTokens[i] = token;
  }
  return count;
}

/** Whether no two of the first arrays are in one buffer. */
function areAllApart(arrays: readonly unknown[], count: number): boolean {
  for (let i = 1; i < count; i++)
    for (let j = 0; j < i; j++) if (!areApart(arrays[i], arrays[j])) return false;
  return true;
}

/** What a call has, one after another. */
const likelihoodArrays: unknown[] = new Array(7).fill(undefined);

/** The same of tokenLogProbs; `top`: the option. */
export function fastTokenLogProbs(
  plain: PlainTokens,
  logits: unknown,
  tokens: unknown,
  options: GivenOptions,
  top: unknown,
): unknown {
  const { out } = options as { out: unknown };
  if (!isOutOf(out, likelihoodNames) || kindOf(tokens) !== 'Int32Array') return undefined;
  const length = classCount(options, logits);
  if (length === 0) return undefined;
  // The general way refuses it before it reads an output.
  if (!(Number.isInteger(top) && (top as number) >= 0 && (top as number) <= length)) return undefined;
  const { logProbs, ranks, logSumExp, topLogProbs, topTokens } = out;
  // The general way has what was read.
  const isOfTop = (topLogProbs ?? topTokens) !== undefined;
  options.out = (
    isOfTop ? { logProbs, ranks, logSumExp, topLogProbs, topTokens } : { logProbs, ranks, logSumExp }
  ) as never;
  const rows = rawLengthOf(logits) / length;
  const places = rows * (top as number);
  const hasTop = places > 0;
  const total = readTokens(tokens, length);
  const count = total / rows;
  if (count < 1 || !Number.isInteger(count)) return undefined;
  if (!isFloats(logProbs, total) || !isIntegers(ranks, total) || !isFloats(logSumExp, rows)) return undefined;
  if (hasTop && !(isFloats(topLogProbs, places) && isIntegers(topTokens, places))) return undefined;
  if (!hasTop && isOfTop) return undefined;
  const arrays = likelihoodArrays;
  arrays[0] = logits;
  arrays[1] = logProbs;
  arrays[2] = ranks;
  arrays[3] = logSumExp;
  arrays[4] = topLogProbs;
  arrays[5] = topTokens;
  // Tokens have been read, but an output over them would be theirs.
  arrays[hasTop ? 6 : 4] = tokens;
  const areApartFromEachOther = areAllApart(arrays, hasTop ? 7 : 5);
  arrays.fill(undefined);
  if (!areApartFromEachOther) return undefined;
  plain.tokenLogProbs(
    logits as Float32Array,
    ownTokens,
    logProbs,
    ranks,
    logSumExp,
    topLogProbs as Float32Array | undefined,
    topTokens as Int32Array | undefined,
    rows,
    length,
    count,
    top as number,
  );
  return options.out;
}
