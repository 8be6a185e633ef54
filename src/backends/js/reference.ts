// The power of two that a row is measured against, as in native/kernels/reference.h.

import type { Scaling } from './scaling.js';

const { fround } = Math;

export const roundingShift64 = 6755399441055744; // 1.5 · 2^52

/** What differs between float32 and float64. */
interface Limits {
  readonly log2e: number;
  /** Beyond, the maximum is subtracted. */
  readonly largestReference: number;
  /** Elements below the maximum minus this are exactly 0: 126 ln 2 and 1022 ln 2. */
  readonly flushDepth: number;
}

const floatLimits: Limits = {
  log2e: fround(Math.LOG2E),
  largestReference: 1024,
  flushDepth: 87.3365447505531,
};

const doubleLimits: Limits = {
  log2e: Math.LOG2E,
  largestReference: 4096,
  flushDepth: 708.3964185322641,
};

const limitsOf = (scaling: Scaling): Limits => (scaling.isDouble ? doubleLimits : floatLimits);

function isHuge(top: number, scaling: Scaling): boolean {
  const scaled = top * scaling.high;
  const { largestReference } = limitsOf(scaling);
  if (!(top >= -scaling.largest && top <= scaling.largest)) return false;
  return scaling.isLimit || scaled > largestReference || scaled < -largestReference;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The smallest float that is not below the value. */
function roundUp(value: number): number {
  const rounded = fround(value);
  if (!(rounded < value)) return rounded;
  float[0] = rounded;
  const before = bits[0] as number;
  bits[0] = rounded === 0 ? 1 : before + (before >= 0 ? 1 : -1);
  return float[0];
}

/** What is subtracted from logits whose largest is `top`. */
export const offsetOf = (top: number, scaling: Scaling): number => (isHuge(top, scaling) ? top : 0);

/** N for logits whose largest is `shiftedTop` once the offset is subtracted. */
export function exponentOf(shiftedTop: number, scaling: Scaling): number {
  const scaledTop = scaling.isDouble ? shiftedTop * scaling.high : fround(shiftedTop * scaling.high);
  const hasExponent = scaledTop > -1073741824 && scaledTop < 1073741824;
  return hasExponent ? scaledTop * limitsOf(scaling).log2e + roundingShift64 - roundingShift64 : 0;
}

/** N of one maximum of float32 less that of another that is not below it; NaN of float64, and where either is huge. */
export function modestDistance(top: number, larger: number, { isDouble, isLimit, high }: Scaling): number {
  const { log2e, largestReference } = floatLimits;
  const ofTop = top * high;
  const ofLarger = larger * high;
  const isModest = ofTop >= -largestReference && ofLarger <= largestReference;
  if (!isModest || isDouble || isLimit) return Number.NaN;
  return fround(ofTop) * log2e + roundingShift64 - (fround(ofLarger) * log2e + roundingShift64);
}

/** A row's measure, of which one object serves all rows: objects made for each would cost short rows more than they. */
export class Reference {
  /** Subtracted from the signed logit: 0, or the row's maximum when it is huge. */
  offset = Number.NaN;
  /** Shifted logits below this give exactly 0. */
  cut = Number.NaN;
  /** N: exponentials are multiplied by 2^−N. */
  exponent = Number.NaN;

  /** For a row or block whose largest signed logit is `top` (−Infinity when there is none). */
  measure(top: number, scaling: Scaling): void {
    const { isDouble, isLimit, high, largest } = scaling;
    const { flushDepth } = limitsOf(scaling);
    const offset = offsetOf(top, scaling);
    const shiftedTop = isDouble ? top - offset : fround(top - offset);
    const cut = shiftedTop - flushDepth / high;
    let boundedCut = isLimit ? 0 : -largest;
    if (!isLimit && cut > -largest) boundedCut = isDouble ? cut : roundUp(cut);
    this.offset = offset;
    this.cut = boundedCut;
    this.exponent = exponentOf(shiftedTop, scaling);
  }
}

/** The logits are used as they are: neither shifted nor scaled. */
export function isPlain(scaling: Scaling, reference: Reference): boolean {
  return scaling.isOne && reference.offset === 0;
}

/** Entry i is 2^(i − 1022): the normal doubles. Made by exact products; Math.pow is not promised to be exact. */
const powers = new Float64Array(2046);
powers[1022] = 1;
for (let i = 1023; i < 2046; i++) powers[i] = (powers[i - 1] as number) * 2;
for (let i = 1021; i >= 0; i--) powers[i] = (powers[i + 1] as number) * 0.5;

/** The same table, for loops that index it themselves: 2^k at k + powerBias, for k from −1022 to 1023. */
export const powersOfTwo = powers;
export const powerBias = 1022;

/** 2^exponent, 0 below 2^−1022. */
export function powerOfTwo(exponent: number): number {
  return exponent < -1022 ? 0 : (powers[exponent + powerBias] as number);
}
