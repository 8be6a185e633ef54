// float16 and bfloat16 from and to float32, as people write it by hand.

import type { DType } from './cases.js';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function fromHalf(half: number): number {
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  const magnitude =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent < 31
        ? (1024 + mantissa) * 2 ** (exponent - 25)
        : mantissa === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN;
  return half & 0x8000 ? -magnitude : magnitude;
}

/** To nearest even. No infinities, no NaN: there are none here. */
function toHalf(value: number): number {
  float[0] = value;
  const whole = bits[0] as number;
  const sign = (whole >>> 16) & 0x8000;
  const magnitude = whole & 0x7fffffff;
  if (magnitude >= 0x38800000)
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // A denormal: the addition rounds it to a multiple of 2^−24.
  float[0] = Math.abs(value) + 0.5;
  return sign | ((bits[0] as number) - 0x3f000000);
}

const halves = Float32Array.from({ length: 65536 }, (_, half) => fromHalf(half));

export function decode(data: Uint16Array, dtype: DType, values: Float32Array): void {
  if (dtype === 'float16')
    for (let i = 0; i < data.length; i++) values[i] = halves[data[i] as number] as number;
  else {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < data.length; i++) words[i] = (data[i] as number) << 16;
  }
}

export function encode(values: Float32Array, dtype: DType, data: Uint16Array): void {
  if (dtype === 'float16') for (let i = 0; i < data.length; i++) data[i] = toHalf(values[i] as number);
  else {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < data.length; i++) {
      const word = words[i] as number;
      data[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  }
}
