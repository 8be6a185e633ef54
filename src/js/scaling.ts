// The factor that multiplies every logit, as in native/kernels/scaling.h: same names, same order of operations.

const { fround } = Math;

export const largestFloat = 3.4028234663852886e38;

export interface Scaling {
  /** The elements are float64; else float32. */
  readonly isDouble: boolean;
  /** The largest finite element. */
  readonly largest: number;
  /** 1 or −1; the logits are multiplied by it, so that the factor is never negative. */
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

/** multiplier = scale / temperature; ±Infinity stands for temperature 0, 0 for an infinite temperature. */
export function scalingOf(multiplier: number, isDouble: boolean): Scaling {
  const sign = signOf(multiplier);
  const magnitude = multiplier * sign;
  const largest = isDouble ? Number.MAX_VALUE : largestFloat;
  const isLimit = isDouble ? !(magnitude <= largest) : !(magnitude < largest);
  if (isLimit) return { isDouble, largest, sign, high: 0, low: 0, factor: 0, isLimit, isOne: false };
  let high = magnitude;
  let low = 0;
  if (!isDouble) {
    high = fround(magnitude);
    const anchor = high * 4096;
    low = fround(magnitude - high + anchor - anchor);
  }
  const isOne = sign === 1 && high === 1 && low === 0;
  return { isDouble, largest, sign, high, low, factor: high + low, isLimit, isOne };
}
