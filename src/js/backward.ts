// softmaxBackward, logSoftmaxBackward and softmaxJacobian of one row, as in native/kernels/backward.h.

import { ln2Leading, ln2Trailing } from './log.js';
import { powerBias, powersOfTwo, roundingShift64 } from './reference.js';
import { BlockTree, blockSize, doubleBlockSum, groupSize } from './tree.js';

const { fround } = Math;

const terms = new Float64Array(blockSize);

/** Σ a(i) b(i), or Σ a(i) when b is undefined, in double: the product of two floats is exact there. */
function doubleSum(a: Float32Array, b: Float32Array | undefined, begin: number, length: number): number {
  if (length === 0) return 0;
  const tree = new BlockTree<number>((left, right) => left + right);
  for (let from = 0; from < length; from += blockSize) {
    const count = Math.min(blockSize, length - from);
    const start = begin + from;
    if (b) {
      for (let i = 0; i < count; i++) terms[i] = (a[start + i] as number) * (b[start + i] as number);
    } else {
      for (let i = 0; i < count; i++) terms[i] = a[start + i] as number;
    }
    terms.fill(0, count, Math.min(blockSize, count + groupSize));
    tree.push(doubleBlockSum(terms, count));
  }
  return tree.total();
}

/** One canonical NaN, as a store of NaN keeps the bits of the operation that made it. */
function canonical(value: number): number {
  return Number.isNaN(value) ? Number.NaN : value;
}

export function softmaxBackwardRow(
  gradOutput: Float32Array,
  output: Float32Array,
  out: Float32Array,
  begin: number,
  length: number,
  multiplier: number,
): void {
  const sum = doubleSum(gradOutput, output, begin, length);
  for (let i = begin; i < begin + length; i++)
    out[i] = canonical(((gradOutput[i] as number) - sum) * (output[i] as number) * multiplier);
}

const { LOG2E: log2e } = Math;
const taylorCoefficients = [
  1 / 362880,
  1 / 40320,
  1 / 5040,
  1 / 720,
  1 / 120,
  1 / 24,
  1 / 6,
  1 / 2,
  1,
  1,
] as const;

/** exp to 2^−36 relative, as in native/kernels/exp_double.h. */
function exponential(x: number): number {
  if (x < -700 || x > 700) return 0;
  if (Number.isNaN(x)) return Number.NaN;
  const n = x * log2e + roundingShift64 - roundingShift64;
  const r = x - n * ln2Leading - n * ln2Trailing;
  let p: number = taylorCoefficients[0];
  for (let i = 1; i < 10; i++) p = p * r + (taylorCoefficients[i] as number);
  return p * (powersOfTwo[n + powerBias] as number);
}

export function logSoftmaxBackwardRow(
  gradOutput: Float32Array,
  output: Float32Array,
  out: Float32Array,
  begin: number,
  length: number,
  multiplier: number,
): void {
  const sum = doubleSum(gradOutput, undefined, begin, length);
  for (let i = begin; i < begin + length; i++)
    out[i] = canonical(((gradOutput[i] as number) - exponential(output[i] as number) * sum) * multiplier);
}

export function softmaxJacobianRow(
  output: Float32Array,
  begin: number,
  out: Float32Array,
  outBegin: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const p = output[begin + i] as number;
    const line = outBegin + i * length;
    for (let j = 0; j < length; j++) out[line + j] = canonical(0 - fround(p * (output[begin + j] as number)));
    out[line + i] = canonical(p * fround(1 - p));
  }
}
