// The one order in which a row is summed, as in native/kernels/tree.h: lines of 32 lanes, groups of 8 lines, blocks
// of 4096, blocks as a binary tree.

import type { Values } from './exp.js';
import { merge, type ScaledSum } from './reference.js';

const laneCount = 32;
const groupSize = 256;
export const blockSize = 4096;

/** No element is left out of a sum. */
export const noIndex = -1;

const lanes = new Float64Array(laneCount);

/**
 * The sum of values[begin, begin + count), at most one block, in double. `skipped` (or noIndex) is the index of an
 * element left out.
 */
export function blockSum(values: Values, begin: number, count: number, skipped: number): number {
  lanes.fill(0);
  const v = values;
  const at = (i: number) => (i < count && begin + i !== skipped ? (v[begin + i] as number) : 0);
  for (let group = 0; group < count; group += groupSize) {
    const isWhole =
      count - group >= groupSize && !(skipped >= begin + group && skipped < begin + group + groupSize);
    const laneEnd = Math.min(laneCount, count - group);
    for (let lane = 0; lane < laneEnd; lane++) {
      const i = group + lane;
      let sum: number;
      if (isWhole) {
        const f = begin + i;
        const a = (v[f] as number) + (v[f + 32] as number);
        const b = (v[f + 64] as number) + (v[f + 96] as number);
        const c = (v[f + 128] as number) + (v[f + 160] as number);
        const d = (v[f + 192] as number) + (v[f + 224] as number);
        sum = a + b + (c + d);
      } else {
        const a = at(i) + at(i + 32);
        const b = at(i + 64) + at(i + 96);
        const c = at(i + 128) + at(i + 160);
        const d = at(i + 192) + at(i + 224);
        sum = a + b + (c + d);
      }
      lanes[lane] = (lanes[lane] as number) + sum;
    }
  }
  for (let half = laneCount / 2; half >= 1; half /= 2)
    for (let i = 0; i < half; i++) lanes[i] = (lanes[i] as number) + (lanes[i + half] as number);
  return lanes[0] as number;
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

const terms = new Float64Array(blockSize);

/** Σ term(i) for i in [0, length), in double and in the order of the tree. */
export function termSum(length: number, term: (i: number) => number): number {
  if (length === 0) return 0;
  const tree = sumTree();
  for (let from = 0; from < length; from += blockSize) {
    const count = Math.min(blockSize, length - from);
    for (let i = 0; i < count; i++) terms[i] = term(from + i);
    tree.push(blockSum(terms, 0, count, noIndex));
  }
  return tree.total();
}
