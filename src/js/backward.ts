// softmaxBackward, logSoftmaxBackward and softmaxJacobian of one row, as in native/kernels/backward.h.

import { exponential, type Values } from './exp.js';
import { canonical } from './scaling.js';
import { blockTermSum, terms } from './tree.js';

const { fround } = Math;

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
  const sum = blockTermSum(length, (from, count) => {
    const g = gradBegin + from;
    const p = begin + from;
    for (let i = 0; i < count; i++) terms[i] = (gradOutput[g + i] as number) * (output[p + i] as number);
  });
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
  const sum = blockTermSum(length, (from, count) => {
    const g = gradBegin + from;
    for (let i = 0; i < count; i++) terms[i] = gradOutput[g + i] as number;
  });
  for (let i = 0; i < length; i++) {
    const g = gradOutput[gradBegin + i] as number;
    out[outBegin + i] = canonical((g - exponential(output[begin + i] as number) * sum) * multiplier);
  }
}

export function softmaxJacobianRow(
  output: Values,
  begin: number,
  length: number,
  isDouble: boolean,
  out: Values,
  outBegin: number,
): void {
  const round = isDouble ? (value: number) => value : fround;
  for (let i = 0; i < length; i++) {
    const p = output[begin + i] as number;
    const line = outBegin + i * length;
    for (let j = 0; j < length; j++) out[line + j] = canonical(0 - round(p * (output[begin + j] as number)));
    out[line + i] = canonical(p * round(1 - p));
  }
}
