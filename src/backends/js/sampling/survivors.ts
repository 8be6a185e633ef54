// The tokens that filters have left of a row, and the filters.

import { exponentials, singleExponential, type Values } from '../exp.js';
import { powerOfTwo, Reference } from '../reference.js';
import { rowMaximum } from '../row-sum.js';
import { type Scaling, scaledDifference, signedLogit } from '../scaling.js';
import { termSum } from '../tree.js';
import { type Cut, type Keys, selectFirst, setKeys } from './select.js';

const roundingShift = 2 ** 52;

/** Memory for rows of up to `capacity` tokens. */
interface Scratch {
  readonly capacity: number;
  readonly indices: Int32Array;
  readonly logits: Values;
  readonly exponentials: Values;
  readonly weights: Float64Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly positions: Int32Array;
  readonly distances: Float64Array;
}

function newScratch(capacity: number, isDouble: boolean): Scratch {
  const values = () => (isDouble ? new Float64Array(capacity) : new Float32Array(capacity));
  return {
    capacity,
    indices: new Int32Array(capacity),
    logits: values(),
    exponentials: values(),
    weights: new Float64Array(capacity),
    high: new Uint32Array(capacity),
    low: new Uint32Array(capacity),
    positions: new Int32Array(capacity),
    distances: new Float64Array(capacity),
  };
}

/** Kept for the next call, up to this. */
const mostKept = 2 ** 18;
const keptScratch: { float?: Scratch; double?: Scratch } = {};

function scratchOf(length: number, isDouble: boolean): Scratch {
  const name = isDouble ? 'double' : 'float';
  const kept = keptScratch[name];
  if (kept && kept.capacity >= length) return kept;
  const scratch = newScratch(length, isDouble);
  if (length <= mostKept) keptScratch[name] = scratch;
  return scratch;
}

/** Of exponentials; the largest is between 1 and 3. */
const tailBounds = [2 ** -6, 2 ** -13];

const reference = new Reference();

/** A row is taken as so many blocks for each of its k largest elements, if they are not too short. */
const blocksOfLargest = 8;
const shortestBlock = 8;

/** At most the k-th largest element: the k-th largest of the maxima of blocks. −Infinity where that saves nothing. */
export function boundOfLargest(
  values: Values,
  begin: number,
  length: number,
  k: number,
  scaling: Scaling,
): number {
  const size = Math.floor(length / (k * blocksOfLargest));
  if (size < shortestBlock) return Number.NEGATIVE_INFINITY;
  const count = Math.floor(length / size);
  const maxima = scaling.isDouble ? new Float64Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) maxima[i] = rowMaximum(values, begin + i * size, size, scaling);
  maxima.sort();
  return maxima[count - k] as number;
}

/** Tokens in ascending order, with their logits; after weigh(), with exponentials and weights, too. */
export class Survivors {
  count = 0;
  /** The sum of the weights. */
  total = 0;
  /** log₂ of what exponentials are multiplied by. */
  readonly #shift: number;
  readonly #scratch: Scratch;
  #scaling: Scaling;
  /** The largest signed logit. */
  #top = Number.NaN;

  constructor(length: number, scaling: Scaling) {
    this.#scratch = scratchOf(length, scaling.isDouble);
    this.#scaling = scaling;
    // Exponentials relative to the row's measure are below 4 = 2². A row of them, times 2^shift, is at most 2⁵³.
    let bits = 0;
    while (2 ** bits < length) bits++;
    this.#shift = 51 - bits;
  }

  get indices(): Int32Array {
    return this.#scratch.indices;
  }
  get logits(): Values {
    return this.#scratch.logits;
  }
  get weights(): Float64Array {
    return this.#scratch.weights;
  }

  /** The tokens of a row that are not −Infinity and not below `lowest`. */
  take(values: Values, begin: number, length: number, lowest: number): void {
    const { indices, logits } = this.#scratch;
    let count = 0;
    for (let i = 0; i < length; i++) {
      const logit = values[begin + i] as number;
      // Of a NaN nothing is below.
      if (logit === Number.NEGATIVE_INFINITY || logit < lowest) continue;
      indices[count] = i;
      logits[count] = logit;
      count++;
    }
    this.count = count;
  }

  /** All of a row. */
  takeAll(values: Values, begin: number, length: number): void {
    const { indices, logits } = this.#scratch;
    for (let i = 0; i < length; i++) {
      indices[i] = i;
      logits[i] = values[begin + i] as number;
    }
    this.count = length;
  }

  /**
   * Exponentials and weights. A weight is an integer, the exponential times a power of two and rounded, so that sums are
   * exact in any order: of float32 exponentials for logits of 16 and 32 bits, of float64 ones for float64.
   */
  weigh(scaling: Scaling): void {
    const { logits, exponentials: all, weights } = this.#scratch;
    const { count } = this;
    this.#scaling = scaling;
    this.#top = rowMaximum(logits, 0, count, scaling);
    reference.measure(this.#top, scaling);
    exponentials(logits, 0, count, scaling, reference, all, 0);
    const power = powerOfTwo(this.#shift);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const weight = (all[i] as number) * power + roundingShift - roundingShift;
      weights[i] = weight;
      total += weight;
    }
    this.total = total;
  }

  #sum(): void {
    const { weights } = this.#scratch;
    let total = 0;
    for (let i = 0; i < this.count; i++) total += weights[i] as number;
    this.total = total;
  }

  /** The k largest logits; with `keepsTies` all that equal the last of them. */
  keepLargest(k: number, keepsTies: boolean): void {
    if (k >= this.count) return;
    const keys = this.#keysOf(this.#scratch.logits);
    this.#keepFirst(keys, this.#cutAt(keys, k, false), keepsTies);
  }

  /** The largest until their weights reach `mass` of all. */
  keepMass(mass: number, least: number): void {
    const target = mass * this.total;
    this.#dropTail(target, least);
    const keys = this.#keysOf(this.#scratch.logits);
    this.#keepFirst(keys, this.#cutAt(keys, target, true, least), false);
  }

  /** Most of a row is far below what a mass needs: drops exponentials below a bound above which there is enough. */
  #dropTail(target: number, least: number): void {
    const { exponentials: all, weights } = this.#scratch;
    for (const bound of tailBounds) {
      let sum = 0;
      let kept = 0;
      for (let i = 0; i < this.count; i++) {
        if ((all[i] as number) < bound) continue;
        sum += weights[i] as number;
        kept++;
      }
      if (sum < target || kept < least) continue;
      if (kept < this.count) this.#keep((i) => (all[i] as number) >= bound);
      return;
    }
  }

  /** Those whose exponentials are at least `ratio` of the largest. */
  keepRelative(ratio: number, least: number): void {
    const { exponentials: all } = this.#scratch;
    const lowest = ratio * singleExponential(this.#top / this.#scaling.sign, this.#scaling, reference);
    let kept = 0;
    for (let i = 0; i < this.count; i++) if ((all[i] as number) >= lowest) kept++;
    if (kept < least) this.keepLargest(least, false);
    else if (kept < this.count) this.#keep((i) => (all[i] as number) >= lowest);
  }

  /**
   * Those whose −log p is nearest to its mean, the entropy, until their weights reach `mass` of all. With d = log p less
   * that of the largest, −log p − H is Σ p d − d: no logarithm is needed.
   */
  keepTypical(mass: number, least: number, keepsTies: boolean): void {
    const { logits, weights, distances } = this.#scratch;
    const { count, total } = this;
    const scaling = this.#scaling;
    const { factor } = scaling;
    const top = this.#top;
    for (let i = 0; i < count; i++)
      distances[i] = scaledDifference(signedLogit(logits[i] as number, scaling), top, factor);
    const sum = termSum(count, (terms, from, some) => {
      for (let i = 0; i < some; i++)
        terms[i] = (weights[from + i] as number) * (distances[from + i] as number);
    });
    const mean = sum / total;
    // The nearest first.
    for (let i = 0; i < count; i++) distances[i] = -Math.abs(mean - (distances[i] as number));
    const keys = this.#keysOf(distances);
    this.#keepFirst(keys, this.#cutAt(keys, mass * total, true, least), keepsTies);
  }

  #keysOf(values: Values): Keys {
    const { high, low } = this.#scratch;
    return setKeys(values, this.count, high, low);
  }

  /** Where weights, or else a count, reach the target; at least so many elements. */
  #cutAt(keys: Keys, target: number, isWeighted: boolean, least = 1): Cut {
    const { weights, positions } = this.#scratch;
    const { count } = this;
    const cut = selectFirst(keys, isWeighted ? weights : undefined, count, target, positions);
    if (cut.count >= least) return cut;
    return selectFirst(keys, undefined, count, Math.min(least, count), positions);
  }

  #keepFirst({ high, low }: Keys, cut: Cut, keepsTies: boolean): void {
    let ties = keepsTies ? this.count : cut.ties;
    this.#keep((i) => {
      const word = high[i] as number;
      if (word !== cut.high) return word > cut.high;
      if (low !== undefined && low[i] !== cut.low) return (low[i] as number) > cut.low;
      return ties-- > 0;
    });
  }

  /** Asks for each in turn. */
  #keep(isKept: (position: number) => boolean): void {
    const { indices, logits, exponentials: all, weights } = this.#scratch;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (!isKept(i)) continue;
      indices[kept] = indices[i] as number;
      logits[kept] = logits[i] as number;
      all[kept] = all[i] as number;
      weights[kept] = weights[i] as number;
      kept++;
    }
    this.count = kept;
    this.#sum();
  }
}
