// log in double by + − × ÷ only, as in native/kernels/log.h. Math.log differs between engines.

import { powerOfTwo } from './reference.js';

/** ln 2 as a sum; the first has 32 bits, so that its product with an exponent is exact. */
export const ln2Leading = 0x162e42fee / 2 ** 33;
export const ln2Trailing = 1.9082149292705877e-10;
const { SQRT2: sqrt2 } = Math;

/** k ln 2 + log(1 + f) for f in [√½ − 1, √2 − 1]. */
export function logOnePlus(f: number, k: number): number {
  const s = f / (2 + f);
  const z = s * s;
  let r = 0.14798198605116586;
  r = r * z + 0.15313837699209373;
  r = r * z + 0.1818357216161805;
  r = r * z + 0.22222198432149784;
  r = r * z + 0.2857142874366239;
  r = r * z + 0.3999999999940942;
  r = r * z + 0.6666666666666735;
  r = r * z;
  return k * ln2Leading + (f - (s * (f - r) - k * ln2Trailing));
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** exponent ln 2 + log(value), for values in float's normal range. */
export function logScaled(value: number, exponent: number): number {
  float[0] = value;
  let k = ((bits[0] as number) >>> 23) - 127;
  let mantissa = value * powerOfTwo(-k);
  if (mantissa > sqrt2) {
    mantissa *= 0.5;
    k++;
  }
  return logOnePlus(mantissa - 1, k + exponent);
}

/** log(1 + q) for q in [0, 1], accurate as q → 0. */
export function logOnePlusRatio(q: number): number {
  return q < sqrt2 - 1 ? logOnePlus(q, 0) : logOnePlus((q - 1) * 0.5, 1);
}
