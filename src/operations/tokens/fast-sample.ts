// Plain calls of sample (../fast-path.ts): float32 rows of the last axis, the filters that native code has, a seed and places
// for the results. Nothing is made for them but the object that is returned. What is no such call is left to the general way.

import { writeUniforms } from '../../backends/js/sampling/uniforms.js';
import { leftToJs, type PlainTokens, settingsPerRow, writeSettings } from '../../backends/plain-tokens.js';
import { maximumClasses } from '../../problem/rows.js';
import { freshSeed, ownWords, plainWords } from '../../problem/sampling/randomness.js';
import { inverseTemperature } from '../../problem/sampling/settings.js';
import { bufferOf, isShared, rawLengthOf } from '../../typed-arrays.js';
import { lastAxisLength } from '../fast-path.js';
import type { GivenSampleOptions } from '../sample.js';
import { areApart, isFloats, isIntegers, isOutOf } from './fast-tokens.js';

/** Rows and draws of a plain call: what a step of most servers has. */
const most = 64;

const settings = new Float64Array(most * settingsPerRow);
const uniforms = new Float64Array(most);
const ownKept = new Int32Array(most);
/** What plainWords writes. */
const randomness = {
  uniform: undefined,
  seeds: ownWords.seed,
  hasSeedPerRow: false,
  steps: ownWords.step,
  hasStepPerRow: false,
};
const outNames = ['tokens', 'logProbs', 'rawLogProbs', 'kept'];

/** Whether no option is given but those of plain calls. */
const isPlain = (given: GivenSampleOptions): boolean =>
  given.mask === undefined &&
  given.dtype === undefined &&
  given.typicalP === 1 &&
  given.topNSigma === 0 &&
  given.allowed === undefined &&
  given.bias === undefined &&
  given.penalties === undefined &&
  given.uniform === undefined &&
  given.top === 0 &&
  given.logProbsOf === undefined &&
  given.order === undefined &&
  (given.keepTies === undefined || given.keepTies === false);

const isBetween = (value: unknown, least: number, greatest: number): value is number =>
  typeof value === 'number' && value >= least && value <= greatest;

type Numbers = Record<'temperature' | 'topK' | 'topP' | 'minP' | 'minKeep', number>;

/** Whether its filters are numbers, for all rows, and what they may be. */
const hasNumbers = (given: GivenSampleOptions): given is GivenSampleOptions & Numbers =>
  isBetween(given.temperature, 0, Number.POSITIVE_INFINITY) &&
  isBetween(given.topK, 0, Number.MAX_SAFE_INTEGER) &&
  Number.isInteger(given.topK) &&
  isBetween(given.topP, Number.MIN_VALUE, 1) &&
  isBetween(given.minP, 0, 1) &&
  isBetween(given.minKeep, 1, Number.MAX_SAFE_INTEGER) &&
  Number.isInteger(given.minKeep);

/** Whether a result has a place of its own, or is not asked for. */
const isApart = (result: unknown, a: unknown, b: unknown, c: unknown, d: unknown): boolean =>
  result === undefined ||
  (areApart(result, a) &&
    (b === undefined || areApart(result, b)) &&
    (c === undefined || areApart(result, c)) &&
    (d === undefined || areApart(result, d)));

const isArrayOrNone = (value: unknown): unknown => (typeof value === 'object' ? value : undefined);

/** What a plain call returns; undefined if it is none, or if a row of it is for JavaScript. */
export function fastSample(plain: PlainTokens, logits: unknown, given: GivenSampleOptions): unknown {
  const { out, step = 0 } = given;
  if (!isPlain(given) || !isOutOf(out, outNames) || !hasNumbers(given)) return undefined;
  const length = lastAxisLength(given, logits);
  if (length === 0 || length > maximumClasses) return undefined;
  const { tokens, logProbs, rawLogProbs, kept, topTokens, topLogProbs } = out;
  // The general way has what was read.
  given.out = { tokens, logProbs, rawLogProbs, kept, topTokens, topLogProbs };
  // What only a proxy or a hidden field may have.
  if (topTokens !== undefined || topLogProbs !== undefined) return undefined;

  // Logits that another thread may change are copied first.
  if (isShared(bufferOf(logits))) return undefined;
  const rows = rawLengthOf(logits) / length;
  const count = given.count === undefined ? 1 : given.count;
  if (!isBetween(count, 1, most) || !Number.isInteger(count) || rows * count > most) return undefined;
  const draws = rows * count;
  if (!isIntegers(tokens, draws)) return undefined;
  if (logProbs !== undefined && !isFloats(logProbs, draws)) return undefined;
  if (rawLogProbs !== undefined && !isFloats(rawLogProbs, draws)) return undefined;
  if (kept !== undefined && !isIntegers(kept, rows)) return undefined;

  const seed = given.seed === undefined ? freshSeed() : given.seed;
  given.seed = seed;
  if (!plainWords('seed', seed, rows) || !plainWords('step', step, rows)) return undefined;
  const [seeds, steps] = [isArrayOrNone(seed), isArrayOrNone(step)];
  const areAllApart =
    isApart(tokens, logits, logProbs, seeds, steps) &&
    isApart(logProbs, logits, rawLogProbs, seeds, steps) &&
    isApart(rawLogProbs, logits, tokens, seeds, steps) &&
    isApart(kept, logits, tokens, seeds, steps) &&
    isApart(kept, tokens, logProbs, rawLogProbs, undefined);
  if (!areAllApart) return undefined;

  const { temperature, topK, topP, minP, minKeep } = given;
  const multiplier = inverseTemperature(temperature);
  randomness.hasSeedPerRow = seeds !== undefined;
  randomness.hasStepPerRow = steps !== undefined;
  for (let row = 0; row < rows; row++) {
    writeSettings(settings, row, multiplier, topK, topP, minP, minKeep, false, false, kept !== undefined);
    writeUniforms(randomness, row, count, uniforms);
  }
  const counts = kept === undefined ? ownKept : kept;
  plain.sample(
    logits as Float32Array,
    settings,
    uniforms,
    tokens,
    counts,
    logProbs,
    rawLogProbs,
    rows,
    length,
    count,
  );
  for (let row = 0; row < rows; row++) if (counts[row] === leftToJs) return undefined;

  const results: Record<string, unknown> = { tokens };
  if (logProbs !== undefined) results.logProbs = logProbs;
  if (rawLogProbs !== undefined) results.rawLogProbs = rawLogProbs;
  if (kept !== undefined) results.kept = kept;
  results.seed = seed;
  return results;
}
