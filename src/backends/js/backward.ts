// softmaxBackward, logSoftmaxBackward and softmaxJacobian of one row, as in native/kernels/backward.h.

import { kindOf } from '../../typed-arrays.js';
import type { Values } from './exp.js';
import { exponential } from './exp-double.js';
import { canonical, nan } from './scaling.js';
import { blockSize, productSum, valueSum } from './tree.js';

const { fround } = Math;

/** Whether the results are made in float: areInFloat of native/kernels/softmax_backward.h. */
function isInFloat(sum: number, multiplier: number, out: Values): boolean {
  const square = sum * sum;
  const hasTwoFloats = square === 0 || (square >= 2 ** -148 && square <= 2 ** 204);
  if (!hasTwoFloats || multiplier !== 1) return false;
  // The first is faster; the second is right for arrays of other realms, too.
  return out instanceof Float32Array || kindOf(out) === 'Float32Array';
}

/**
 * Four elements at a time: of so short a loop the engine's checks of arrays and indices are most, and then some are made
 * once for the four (1.1 ns an element in place of 1.5, Zen 5). No calls in it: V8 inlines those that it saw often, so
 * not after many rows shorter than four.
 */
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
  const sum = productSum(gradOutput, gradBegin, output, begin, length);
  if (isInFloat(sum, multiplier, out)) {
    finishInFloat(gradOutput, gradBegin, output, begin, length, sum, out, outBegin);
    return;
  }
  let i = 0;
  for (; i < length - 3; i += 4) {
    const g = gradBegin + i;
    const p = begin + i;
    const a = ((gradOutput[g] as number) - sum) * (output[p] as number) * multiplier;
    const b = ((gradOutput[g + 1] as number) - sum) * (output[p + 1] as number) * multiplier;
    const c = ((gradOutput[g + 2] as number) - sum) * (output[p + 2] as number) * multiplier;
    const d = ((gradOutput[g + 3] as number) - sum) * (output[p + 3] as number) * multiplier;
    const to = outBegin + i;
    out[to] = Number.isNaN(a) ? nan : a;
    out[to + 1] = Number.isNaN(b) ? nan : b;
    out[to + 2] = Number.isNaN(c) ? nan : c;
    out[to + 3] = Number.isNaN(d) ? nan : d;
  }
  for (; i < length; i++) {
    const g = gradOutput[gradBegin + i] as number;
    out[outBegin + i] = canonical((g - sum) * (output[begin + i] as number) * multiplier);
  }
}

/** ((g − high) − low) p in float, where high + low is the sum. */
function finishInFloat(
  gradOutput: Values,
  gradBegin: number,
  output: Values,
  begin: number,
  length: number,
  sum: number,
  out: Values,
  outBegin: number,
): void {
  const high = fround(sum);
  const low = fround(sum - high);
  let i = 0;
  for (; i < length - 3; i += 4) {
    const g = gradBegin + i;
    const p = begin + i;
    const a = fround(fround((gradOutput[g] as number) - high) - low) * (output[p] as number);
    const b = fround(fround((gradOutput[g + 1] as number) - high) - low) * (output[p + 1] as number);
    const c = fround(fround((gradOutput[g + 2] as number) - high) - low) * (output[p + 2] as number);
    const d = fround(fround((gradOutput[g + 3] as number) - high) - low) * (output[p + 3] as number);
    const to = outBegin + i;
    out[to] = a;
    out[to + 1] = b;
    out[to + 2] = c;
    out[to + 3] = d;
  }
  for (; i < length; i++) {
    const difference = fround(fround((gradOutput[gradBegin + i] as number) - high) - low);
    out[outBegin + i] = difference * (output[begin + i] as number);
  }
}

const exponentials = new Float64Array(blockSize);

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
  const sum = valueSum(gradOutput, gradBegin, length);
  for (let from = 0; from < length; from += blockSize) {
    const count = Math.min(blockSize, length - from);
    for (let i = 0; i < count; i++) exponentials[i] = exponential(output[begin + from + i] as number);
    for (let i = 0; i < count; i++) {
      const g = gradOutput[gradBegin + from + i] as number;
      out[outBegin + from + i] = canonical((g - (exponentials[i] as number) * sum) * multiplier);
    }
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
