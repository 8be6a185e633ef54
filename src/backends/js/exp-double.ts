// exp in float64, as in native/kernels/exp_double.h: for float64 logits, and for losses and gradients, where a float32
// exp would leave its rounding behind after a cancellation.

import { ln2Leading, ln2Trailing } from './log.js';
import { powerBias, powersOfTwo, roundingShift64 } from './reference.js';

const steps = 8; // in a power of two
const stepsPerUnit = steps * Math.LOG2E;
const stepHigh = ln2Leading / steps;
const stepLow = ln2Trailing / steps;

/** The doubles next to 2^(j/8). */
const roots = Float64Array.of(
  1,
  1.0905077326652577,
  1.189207115002721,
  1.2968395546510096,
  Math.SQRT2,
  1.5422108254079407,
  1.681792830507429,
  1.8340080864093424,
);
/** What they miss, relatively. */
const rests = Float64Array.of(
  0,
  -2.7939114859515733e-17,
  3.3484623336251524e-17,
  1.9572585293112036e-17,
  -6.835808657661922e-17,
  5.1548301170786783e-17,
  4.875160526227062e-17,
  1.790126907604513e-17,
);

/** exp(value) / 2^exponent in float64; the power is a normal double. NaN for NaN and for Infinity. */
export function doubleExponential(value: number, exponent: number): number {
  const n = value * stepsPerUnit + roundingShift64 - roundingShift64;
  const r = value - n * stepHigh - n * stepLow;
  const square = r * r;
  const upper =
    (0.00019842047189636849 * r + 0.0013889588505409305) * square +
    (0.008333333327851467 * r + 0.0416666666173296);
  const series = upper * square + (0.16666666666666724 * r + 0.5000000000000051);
  const step = (n - steps * exponent) | 0;
  const j = step & (steps - 1);
  const root = roots[j] as number;
  const q = r + (square * series + (rests[j] as number));
  return (root + root * q) * (powersOfTwo[(step >> 3) + powerBias] as number);
}

/**
 * exp in float64; 0 below −700 and above 700, where no probability and no log-probability is. As large as V8 still
 * inlines with all that it calls: a call an element would cost more than the exponential.
 */
export function exponential(x: number): number {
  if (x < -700 || x > 700) return 0;
  return doubleExponential(x, 0);
}
