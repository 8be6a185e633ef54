// Where a sum of weights in descending order of keys reaches a target, without sorting: the keys' digits, from the first
// on, are counted into bins. Weights are integers below 2⁵³ in all, so that no order of additions matters.

import type { Values } from '../exp.js';

/** Bits of a digit: three digits are a word. */
const digits = [
  { shift: 21, mask: 0x7ff },
  { shift: 10, mask: 0x7ff },
  { shift: 0, mask: 0x3ff },
] as const;

/** Numbers as unsigned integers in the same order, of 32 bits or of 64. */
export interface Keys {
  readonly high: Uint32Array;
  /** Undefined for float32. */
  readonly low: Uint32Array | undefined;
}

/** Weights by position; undefined: each counts 1. */
export type Weights = Float64Array | undefined;

/** The elements that come first: those with greater keys, and so many of those with this one, by their positions. */
export interface Cut {
  readonly high: number;
  readonly low: number;
  readonly ties: number;
  /** How many come first in all. */
  readonly count: number;
}

const bins = new Float64Array(2048);

/** Elements whose digits so far are those of the cut: by their positions. */
class Candidates {
  positions: Int32Array | undefined;
  count: number;
  /** The weights of elements with greater keys, and their number. */
  before = 0;
  countBefore = 0;
  readonly #scratch: Int32Array;

  constructor(count: number, scratch: Int32Array) {
    this.count = count;
    this.#scratch = scratch;
  }

  /** Keeps those whose digit is where the sum reaches the target. Returns that digit. */
  narrow(words: Uint32Array, weights: Weights, target: number, shift: number, mask: number): number {
    const { positions, count } = this;
    for (let i = 0; i <= mask; i++) bins[i] = 0;
    for (let i = 0; i < count; i++) {
      const at = positions === undefined ? i : (positions[i] as number);
      const bin = ((words[at] as number) >>> shift) & mask;
      bins[bin] = (bins[bin] as number) + (weights === undefined ? 1 : (weights[at] as number));
    }
    let digit = mask;
    while (digit > 0 && this.before + (bins[digit] as number) < target) {
      this.before += bins[digit] as number;
      digit--;
    }
    let kept = 0;
    const narrowed = this.#scratch;
    for (let i = 0; i < count; i++) {
      const at = positions === undefined ? i : (positions[i] as number);
      const own = ((words[at] as number) >>> shift) & mask;
      if (own === digit) narrowed[kept++] = at;
      else if (own > digit) this.countBefore++;
    }
    this.positions = narrowed;
    this.count = kept;
    return digit;
  }
}

/**
 * The first elements in descending order of keys, equal ones by position, whose weights reach the target, which is above 0
 * and at most the sum of all. `scratch`: room for `count` positions.
 */
export function selectFirst(
  { high, low }: Keys,
  weights: Weights,
  count: number,
  target: number,
  scratch: Int32Array,
): Cut {
  const candidates = new Candidates(count, scratch);
  const cutOf = (words: Uint32Array): number => {
    let cut = 0;
    for (const { shift, mask } of digits)
      cut |= candidates.narrow(words, weights, target, shift, mask) << shift;
    return cut >>> 0;
  };
  const cutHigh = cutOf(high);
  const cutLow = low === undefined ? 0 : cutOf(low);
  let ties = 0;
  let sum = candidates.before;
  while (ties < candidates.count && sum < target) {
    sum += weights === undefined ? 1 : (weights[scratch[ties] as number] as number);
    ties++;
  }
  return { high: cutHigh, low: cutLow, ties, count: candidates.countBefore + ties };
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const double = new Float64Array(1);
const wordsOfDouble = new Uint32Array(double.buffer);
const highWord = isLittleEndian ? 1 : 0;
const float = new Float32Array(1);
const wordOfFloat = new Uint32Array(float.buffer);

/** The keys of numbers: their bits with the sign turned, or for negative ones all of the bits. −0 is 0. */
export function setKeys(values: Values, count: number, high: Uint32Array, low: Uint32Array): Keys {
  if (values instanceof Float64Array) {
    for (let i = 0; i < count; i++) {
      double[0] = (values[i] as number) + 0;
      const upper = wordsOfDouble[highWord] as number;
      const isNegative = upper >>> 31 === 1;
      high[i] = isNegative ? ~upper : upper | 0x80000000;
      low[i] = isNegative
        ? ~(wordsOfDouble[1 - highWord] as number)
        : (wordsOfDouble[1 - highWord] as number);
    }
    return { high, low };
  }
  for (let i = 0; i < count; i++) {
    float[0] = (values[i] as number) + 0;
    const word = wordOfFloat[0] as number;
    high[i] = word >>> 31 ? ~word : word | 0x80000000;
  }
  return { high, low: undefined };
}
