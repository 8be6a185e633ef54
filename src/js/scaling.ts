// The factor that multiplies every logit, as in native/kernels/scaling.h: same names, same order of operations.

const { fround } = Math;

export const largestFloat = 3.4028234663852886e38;

export interface Scaling {
  /** 1 or −1; the logits are multiplied by it, so that the factor is never negative. */
  readonly sign: number;
  readonly high: number;
  readonly low: number;
  /** high + low. */
  readonly factor: number;
  /** Temperature 0: only the largest logits count, equally. */
  readonly isLimit: boolean;
  /** high = 1, low = 0: the logits are used as they are. */
  readonly isOne: boolean;
}

/** multiplier = scale / temperature; ±Infinity stands for temperature 0, 0 for an infinite temperature. */
export function scalingOf(multiplier: number): Scaling {
  // + 0: a negative scale by an infinite temperature is −0.
  const magnitude = (multiplier < 0 ? -multiplier : multiplier) + 0;
  const sign = multiplier < 0 ? -1 : 1;
  if (!(magnitude < largestFloat)) return { sign, high: 0, low: 0, factor: 0, isLimit: true, isOne: false };
  const high = fround(magnitude);
  const anchor = high * 4096;
  const low = fround(magnitude - high + anchor - anchor);
  const isOne = sign === 1 && high === 1 && low === 0;
  return { sign, high, low, factor: high + low, isLimit: false, isOne };
}
