// softmaxBackward, logSoftmaxBackward and softmaxJacobian of one row, as in native/kernels/backward.h.

import { exponential, type Values } from './exp.js';
import { blockSize, blockSum, noIndex, sumTree } from './tree.js';

const { fround } = Math;

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

/** One canonical NaN, as a store of NaN keeps the bits of the operation that made it. */
export function canonical(value: number): number {
  return Number.isNaN(value) ? Number.NaN : value;
}

export function softmaxBackwardRow(
  gradOutput: Values,
  gradBegin: number,
  output: Values,
  begin: number,
  length: number,
  multiplier: number,
  out: Values,
  outBegin: number,
): void {
  const sum = termSum(length, (i) => (gradOutput[gradBegin + i] as number) * (output[begin + i] as number));
  for (let i = 0; i < length; i++) {
    const g = gradOutput[gradBegin + i] as number;
    out[outBegin + i] = canonical((g - sum) * (output[begin + i] as number) * multiplier);
  }
}

export function logSoftmaxBackwardRow(
  gradOutput: Values,
  gradBegin: number,
  output: Values,
  begin: number,
  length: number,
  multiplier: number,
  out: Values,
  outBegin: number,
): void {
  const sum = termSum(length, (i) => gradOutput[gradBegin + i] as number);
  for (let i = 0; i < length; i++) {
    const g = gradOutput[gradBegin + i] as number;
    out[outBegin + i] = canonical((g - exponential(output[begin + i] as number) * sum) * multiplier);
  }
}

export function softmaxJacobianRow(
  output: Values,
  begin: number,
  length: number,
  out: Values,
  outBegin: number,
): void {
  const round = output instanceof Float64Array ? (value: number) => value : fround;
  for (let i = 0; i < length; i++) {
    const p = output[begin + i] as number;
    const line = outBegin + i * length;
    for (let j = 0; j < length; j++) out[line + j] = canonical(0 - round(p * (output[begin + j] as number)));
    out[line + i] = canonical(p * round(1 - p));
  }
}
