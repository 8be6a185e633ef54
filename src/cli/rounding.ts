// Elements of a file as float64, and back, rounded once: by way of float32 a float16 would be rounded twice.

import { halfFormats } from '../backends/js/half.js';
import type { ElementArray } from './task.js';

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** Which of the words has the exponent. */
const high = new Uint32Array(Float64Array.of(1).buffer).findIndex((word) => word !== 0);

const smallestNormalExponent = -14;
const mantissaBits = 10;
const infinity = 0x7c00;
/** Added to a smaller number and taken away again, it leaves an integer, rounded to nearest even. */
const rounder = 2 ** 52;

/** The bits of the nearest float16, of two the even one. */
export function toFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  double[0] = value;
  const sign = (words[high] as number) >>> 31 === 0 ? 0 : 0x8000;
  const exponent = (((words[high] as number) >>> 20) & 0x7ff) - 1023;
  if (exponent > 15) return sign | infinity;
  const unitExponent = Math.max(exponent, smallestNormalExponent);
  // A power of two: the quotient is exact.
  const units = Math.abs(value) * 2 ** (mantissaBits - unitExponent);
  const rounded = units + rounder - rounder;
  // Normal numbers have a mantissa of 1024 to 2047 units; what is rounded up to 2048 carries into the exponent.
  return sign | ((unitExponent - smallestNormalExponent) * 1024 + rounded);
}

/** How an element of the file is read. */
export function loadOf(elements: ElementArray): (index: number) => number {
  const { toNumber } = halfFormats.float16;
  if (elements instanceof Uint16Array) return (index) => toNumber(elements[index] as number);
  return (index) => elements[index] as number;
}

/** How an element of the file is set to a float64. */
export function storeOf(elements: ElementArray): (index: number, value: number) => void {
  if (elements instanceof Uint16Array)
    return (index, value) => {
      elements[index] = toFloat16(value);
    };
  return (index, value) => {
    elements[index] = value;
  };
}
