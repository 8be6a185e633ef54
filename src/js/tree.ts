// The one order in which a row is summed, as in native/kernels/tree.h: lines of 32 lanes, groups of 8 lines, blocks
// of 4096, blocks as a binary tree.

import { merge, type ScaledSum } from './reference.js';

const { fround } = Math;

export const laneCount = 32;
export const groupSize = 256;
export const blockSize = 4096;

const lanes = new Float64Array(laneCount);

function sumLanes(): number {
  for (let half = laneCount / 2; half >= 1; half /= 2)
    for (let i = 0; i < half; i++) lanes[i] = (lanes[i] as number) + (lanes[i + half] as number);
  return lanes[0] as number;
}

/**
 * The sum of the floats values[begin, begin + count), at most one block. `skipped` (or −1) is the index of an element
 * left out.
 */
export function floatBlockSum(values: Float32Array, begin: number, count: number, skipped: number): number {
  lanes.fill(0);
  const at = (i: number) => (i < count && begin + i !== skipped ? (values[begin + i] as number) : 0);
  for (let group = 0; group < count; group += groupSize) {
    const isWhole =
      count - group >= groupSize && !(skipped >= begin + group && skipped < begin + group + groupSize);
    const laneEnd = Math.min(laneCount, count - group);
    for (let lane = 0; lane < laneEnd; lane++) {
      const i = group + lane;
      let sum: number;
      if (isWhole) {
        const first = begin + i;
        const a = fround((values[first] as number) + (values[first + 32] as number));
        const b = fround((values[first + 64] as number) + (values[first + 96] as number));
        const c = fround((values[first + 128] as number) + (values[first + 160] as number));
        const d = fround((values[first + 192] as number) + (values[first + 224] as number));
        sum = a + b + (c + d);
      } else {
        const a = fround(at(i) + at(i + 32));
        const b = fround(at(i + 64) + at(i + 96));
        const c = fround(at(i + 128) + at(i + 160));
        const d = fround(at(i + 192) + at(i + 224));
        sum = a + b + (c + d);
      }
      lanes[lane] = (lanes[lane] as number) + sum;
    }
  }
  return sumLanes();
}

/** The sum of the doubles terms[0, count), at most one block; `terms` is zero from there to the end of its group. */
export function doubleBlockSum(terms: Float64Array, count: number): number {
  lanes.fill(0);
  const t = terms;
  for (let group = 0; group < count; group += groupSize) {
    const laneEnd = Math.min(laneCount, count - group);
    for (let lane = 0; lane < laneEnd; lane++) {
      const i = group + lane;
      const a = (t[i] as number) + (t[i + 32] as number);
      const b = (t[i + 64] as number) + (t[i + 96] as number);
      const c = (t[i + 128] as number) + (t[i + 160] as number);
      const d = (t[i + 192] as number) + (t[i + 224] as number);
      lanes[lane] = (lanes[lane] as number) + (a + b + (c + d));
    }
  }
  return sumLanes();
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
