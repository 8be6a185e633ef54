// Plain calls of sample (../fast-path.ts): float32 rows of the last axis, the filters that native code has, a seed and places
// for the results. Nothing is made for them but the object that is returned. What is no such call is left to the general way.

import { writeUniforms } from '../../backends/js/sampling/uniforms.js';
import type { PlainTokens } from '../../backends/plain-tokens.js';
import { freshSeed, ownWords, plainWords } from '../../problem/sampling/randomness.js';
import { rawLengthOf } from '../../typed-arrays.js';
import { lastAxisLength } from '../fast-path.js';
import type { GivenSampleOptions } from '../sample.js';
import { areApart, isFloats, isIntegers, isOutOf } from './fast-tokens.js';

/** Rows and draws of a plain call: what a step of most servers has. */
const most = 64;
/** struct SampleSettings of native/kernels/sample_candidates.h. */
const settingsPerRow = 8;
/** sampleLeft of native/kernels/sample.h: a row is left to JavaScript. */
const left = -2;
const mostClasses = 2 ** 31 - 1;

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

/** Of the first row; whether they are numbers, and what they may be. */
function writeSettings({ temperature, topK, topP, minP, minKeep }: GivenSampleOptions): boolean {
  const isRight =
    isBetween(temperature, 0, Number.POSITIVE_INFINITY) &&
    isBetween(topK, 0, Number.MAX_SAFE_INTEGER) &&
    Number.isInteger(topK) &&
    isBetween(topP, Number.MIN_VALUE, 1) &&
    isBetween(minP, 0, 1) &&
    isBetween(minKeep, 1, Number.MAX_SAFE_INTEGER) &&
    Number.isInteger(minKeep);
  if (!isRight) return false;
  settings[0] = temperature === 0 ? Number.POSITIVE_INFINITY : 1 / temperature;
  settings[1] = topK;
  settings[2] = topP;
  settings[3] = minP;
  settings[4] = minKeep;
  return true;
}

/** Of all rows: those of the first. */
function repeatSettings(rows: number): void {
  for (let i = settingsPerRow; i < rows * settingsPerRow; i++)
    settings[i] = settings[i - settingsPerRow] as number;
}

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
  if (!isPlain(given) || !isOutOf(out, outNames) || !writeSettings(given)) return undefined;
  const length = lastAxisLength(given, logits);
  if (length === 0 || length > mostClasses) return undefined;
  const { tokens, logProbs, rawLogProbs, kept } = out;
  // The general way has what was read.
  given.out = { tokens, logProbs, rawLogProbs, kept };

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

  settings[7] = kept === undefined ? 0 : 1;
  repeatSettings(rows);
  randomness.hasSeedPerRow = seeds !== undefined;
  randomness.hasStepPerRow = steps !== undefined;
  for (let row = 0; row < rows; row++) writeUniforms(randomness, row, count, uniforms);
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
  for (let row = 0; row < rows; row++) if (counts[row] === left) return undefined;

  const results: Record<string, unknown> = { tokens };
  if (logProbs !== undefined) results.logProbs = logProbs;
  if (rawLogProbs !== undefined) results.rawLogProbs = rawLogProbs;
  if (kept !== undefined) results.kept = kept;
  results.seed = seed;
  return results;
}
