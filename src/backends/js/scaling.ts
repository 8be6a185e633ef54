// The factor that multiplies every logit, as in native/kernels/scaling.h: same names, same order of operations.

const { fround } = Math;

export const largestFloat = 3.4028234663852886e38;

export interface Scaling {
  /** The elements are float64; else float32. */
  readonly isDouble: boolean;
  /** The largest finite element. */
  readonly largest: number;
  /**
   * 1 or −1; the logits are multiplied by it, so that the factor is never negative. ±2^−64 for float32 factors so small
   * that their second part would be lost: 2^64 goes from the logits to them.
   */
  readonly sign: number;
  readonly high: number;
  /** What a float misses of the factor; 0 for float64. */
  readonly low: number;
  /** high + low. */
  readonly factor: number;
  /** Temperature 0: only the largest logits count, equally. */
  readonly isLimit: boolean;
  /** high = 1, low = 0: the logits are used as they are. */
  readonly isOne: boolean;
}

/** A negative scale by an infinite temperature is −0: all rows of a call have the sign of the scale. */
export const signOf = (multiplier: number): number => (multiplier < 0 || Object.is(multiplier, -0) ? -1 : 1);

function newScaling(multiplier: number, isDouble: boolean): Scaling {
  let sign = signOf(multiplier);
  const magnitude = multiplier * sign;
  const largest = isDouble ? Number.MAX_VALUE : largestFloat;
  const isLimit = isDouble ? !(magnitude <= largest) : !(magnitude < largest);
  if (isLimit) return { isDouble, largest, sign, high: 0, low: 0, factor: 0, isLimit, isOne: false };
  let high = magnitude;
  let low = 0;
  if (!isDouble) {
    if (magnitude < 2 ** -100) sign *= 2 ** -64;
    const moved = multiplier / sign;
    high = fround(moved);
    const anchor = high * 4096;
    low = fround(moved - high + anchor - anchor);
  }
  const isOne = sign === 1 && high === 1 && low === 0;
  return { isDouble, largest, sign, high, low, factor: high + low, isLimit, isOne };
}

const floatOne = newScaling(1, false);
const doubleOne = newScaling(1, true);

/** multiplier = scale / temperature; ±Infinity stands for temperature 0, 0 for an infinite temperature. */
export function scalingOf(multiplier: number, isDouble: boolean): Scaling {
  if (multiplier === 1) return isDouble ? doubleOne : floatOne;
  return newScaling(multiplier, isDouble);
}

/** A logit times `sign`. */
export function signedLogit(logit: number, { sign, isDouble }: Scaling): number {
  return isDouble ? logit * sign : fround(logit * sign);
}

/** (a − b) · factor, where the difference of two finite numbers may be too large for a float64. */
export function scaledDifference(a: number, b: number, factor: number): number {
  return b > 1 ? (a * 0.5 - b * 0.5) * factor * 2 : (a - b) * factor;
}

// A constant of this module: of Number.NaN, V8 knows no type until it was read once, and boxes the numbers it is chosen
// over (5 ns an element in place of 1.5).
export const { NaN: nan } = Number;

/** One canonical NaN, as a store of NaN keeps the bits of the operation that made it. */
export function canonical(value: number): number {
  return Number.isNaN(value) ? nan : value;
}
