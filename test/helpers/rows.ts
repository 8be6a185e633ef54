// Rows and values that the edge cases share.

import { crossEntropy, logSoftmax, logSumExp, softmax } from 'softmax-native';
import { expect } from 'vitest';
import {
  firstDifference,
  largestMagnitude,
  logTolerance,
  referenceLogSoftmax,
  referenceLogSumExp,
  referenceLoss,
  referenceSoftmax,
  ulpError,
  Worst,
} from './reference.js';

export const at = (values: ArrayLike<number>, index: number): number => values[index] as number;
export const floats = (...values: number[]): Float32Array => new Float32Array(values);
export const fromBits = (...bits: number[]): Float32Array => new Float32Array(new Uint32Array(bits).buffer);
export const classes = (...values: number[]): Int32Array => new Int32Array(values);

export const canonicalNan = 0x7fc00000;
export const allNan = (length: number): Float32Array => fromBits(...Array(length).fill(canonicalNan));
/** One canonical NaN throughout, bit by bit. */
export const expectNan = (values: Float32Array | undefined, length: number, label = ''): void => {
  expect(firstDifference(values ?? floats(), allNan(length)), label).toBeUndefined();
};

/** Rows of one block, of one and a bit, and of four. */
export const lengths = [1, 2, 33, 300, 5000, 12289];
/** The first, middle and last of a row: in its first, another and its last block. */
export const places = (length: number) => [...new Set([0, length >> 1, length - 1])];

/** softmax, logSoftmax and logSumExp against float64; losses too, of one target. */
export function expectRowAccurate(row: Float32Array, target = 0, multiplier = 1): void {
  const options = { scale: multiplier };
  const worst = new Worst();
  const largest = largestMagnitude(row, multiplier);
  const note = (actual: number, exact: number, label: string) => {
    const isEqual = actual === Math.fround(exact);
    worst.note(isEqual ? 0 : Math.abs(actual - exact) / logTolerance(exact, largest), label);
  };
  const p = referenceSoftmax(row, multiplier);
  softmax(row, options).forEach((value, i) => {
    if (value !== 0 || at(p, i) >= 2 ** -126)
      worst.note(ulpError(value, at(p, i)) / 4, `softmax[${i}] = ${value}`);
  });
  const y = referenceLogSoftmax(row, multiplier);
  logSoftmax(row, options).forEach((value, i) => {
    note(value, at(y, i), `logSoftmax[${i}] = ${value}, not ${y[i]}`);
  });
  const logSum = referenceLogSumExp(row, multiplier);
  note(at(logSumExp(row, options), 0), logSum, `logSumExp, exactly ${logSum}`);
  const { loss } = crossEntropy(row, classes(target), options);
  const exactLoss = referenceLoss(row, target, multiplier);
  note(loss, exactLoss, `loss ${loss}, not ${exactLoss}`);
  expect(worst.error, worst.label).toBeLessThanOrEqual(1);
}
