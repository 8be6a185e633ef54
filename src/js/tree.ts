// The one order in which a row is summed, as in native/kernels/tree.h: lines of 32 lanes, groups of 8 lines, blocks
// of 4096, blocks as a binary tree.

import type { Values } from './exp.js';
import { merge, type ScaledSum } from './reference.js';

export const laneCount = 32;
const groupSize = 256;
export const blockSize = 4096;

/** No element is left out of a sum. */
export const noIndex = -1;

const lanes = new Float64Array(laneCount);

/** The sum of one lane's `lines` elements in a group, 32 apart from `first` on. What is missing would add 0. */
function lineSum(v: Values, first: number, lines: number): number {
  let a = v[first] as number;
  if (lines > 1) a += v[first + 32] as number;
  if (lines > 2)
    a += lines > 3 ? (v[first + 64] as number) + (v[first + 96] as number) : (v[first + 64] as number);
  if (lines <= 4) return a;
  let c = v[first + 128] as number;
  if (lines > 5) c += v[first + 160] as number;
  if (lines > 6)
    c += lines > 7 ? (v[first + 192] as number) + (v[first + 224] as number) : (v[first + 192] as number);
  return a + c;
}

/** The sum of values[begin, begin + count), at most one block, in double. */
export function blockSum(values: Values, begin: number, count: number): number {
  const v = values;
  const width = Math.min(laneCount, count);
  for (let lane = 0; lane < width; lane++) lanes[lane] = 0;
  const wholeEnd = begin + count - (count % groupSize);
  for (let group = begin; group < wholeEnd; group += groupSize) {
    for (let lane = 0; lane < laneCount; lane++) {
      const f = group + lane;
      const a = (v[f] as number) + (v[f + 32] as number);
      const b = (v[f + 64] as number) + (v[f + 96] as number);
      const c = (v[f + 128] as number) + (v[f + 160] as number);
      const d = (v[f + 192] as number) + (v[f + 224] as number);
      lanes[lane] = (lanes[lane] as number) + (a + b + (c + d));
    }
  }
  const end = begin + count;
  for (let f = wholeEnd; f < wholeEnd + laneCount && f < end; f++) {
    const lane = f - wholeEnd;
    const lines = (end - f + laneCount - 1) >> 5;
    lanes[lane] = (lanes[lane] as number) + lineSum(v, f, lines);
  }
  // A short row has no more lanes than elements.
  for (let half = laneCount / 2; half >= 1; half >>= 1)
    for (let i = 0; i < half && i + half < width; i++)
      lanes[i] = (lanes[i] as number) + (lanes[i + half] as number);
  return count === 0 ? 0 : (lanes[0] as number);
}

/** Adds the blocks of a row as they come: a binary counter. */
export class BlockTree<Value> {
  readonly #add: (a: Value, b: Value) => Value;
  readonly #stack: Value[] = [];
  #count = 0;

  constructor(add: (a: Value, b: Value) => Value) {
    this.#add = add;
  }

  push(value: Value): void {
    let sum = value;
    for (let level = this.#count; level % 2 === 1; level = Math.floor(level / 2))
      sum = this.#add(this.#stack.pop() as Value, sum);
    this.#stack.push(sum);
    this.#count++;
  }

  /** At least one block must have been pushed. */
  total(): Value {
    return this.#stack.reduceRight((sum, value) => this.#add(value, sum));
  }
}

export const scaledSumTree = () => new BlockTree<ScaledSum>(merge);
const sumTree = () => new BlockTree<number>((a, b) => a + b);

/** What blockTermSum sums: set(from, count) sets the first `count` entries to the terms from `from` on. */
export const terms = new Float64Array(blockSize);

/** Σ of terms over [0, length), in double and in the order of the tree. */
export function blockTermSum(length: number, set: (from: number, count: number) => void): number {
  if (length <= blockSize) {
    set(0, length);
    return blockSum(terms, 0, length);
  }
  const tree = sumTree();
  for (let from = 0; from < length; from += blockSize) {
    const count = Math.min(blockSize, length - from);
    set(from, count);
    tree.push(blockSum(terms, 0, count));
  }
  return tree.total();
}

/** Σ term(i) for i in [0, length). */
export function termSum(length: number, term: (i: number) => number): number {
  return blockTermSum(length, (from, count) => {
    for (let i = 0; i < count; i++) terms[i] = term(from + i);
  });
}
