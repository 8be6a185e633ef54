// float16 and bfloat16 by their definition: the significand is rounded to nearest, ties to even.

import { type Format, ulpOf } from './exact-row.js';

/** All bits of the exponent: infinities and NaN. */
const infinityExponent = ({ lowestExponent }: Format): number => 3 - 2 * lowestExponent;

/** The nearest number of a format; halfway between two of them, the one whose last bit is 0. */
export function roundTo(value: number, format: Format): number {
  const quantum = ulpOf(value, format);
  const units = value / quantum;
  const below = Math.floor(units);
  const rest = units - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const rounded = (isUp ? below + 1 : below) * quantum;
  const largest = (2 - 2 ** (1 - format.precision)) * 2 ** (1 - format.lowestExponent);
  if (Math.abs(rounded) > largest) return Math.sign(value) * Number.POSITIVE_INFINITY;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

/** The bits of a number that the format has. */
export function bitsOf(value: number, format: Format): number {
  const mantissaBits = format.precision - 1;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const infinity = infinityExponent(format) << mantissaBits;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return infinity | (1 << (mantissaBits - 1));
  if (magnitude === Number.POSITIVE_INFINITY) return sign | infinity;
  const quantum = ulpOf(magnitude, format);
  // Units of the binade, with the leading bit that the format leaves out; a denormal has none.
  const exponent = Math.log2(quantum) + mantissaBits - format.lowestExponent;
  return sign | ((exponent << mantissaBits) + magnitude / quantum);
}

export function numberOf(bits: number, format: Format): number {
  const mantissaBits = format.precision - 1;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const mantissa = bits & ((1 << mantissaBits) - 1);
  if (exponent === infinityExponent(format))
    return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const quantum = 2 ** (Math.max(exponent - 1, 0) + format.lowestExponent - mantissaBits);
  return sign * (exponent === 0 ? mantissa : mantissa + 2 ** mantissaBits) * quantum;
}
