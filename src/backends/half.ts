// float16 and bfloat16 as their bits. Conversions are exact one way and rounded to nearest even the other.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

let float16Values: Float32Array | undefined;

/** The value of every bit pattern: 256 kB, made at first need. */
function float16Table(): Float32Array {
  float16Values ??= Float32Array.from({ length: 65536 }, (_, half) => float16Value(half));
  return float16Values;
}

function bfloat16ToNumber(half: number): number {
  bits[0] = half << 16;
  return float[0] as number;
}

function numberToFloat16(value: number): number {
  float[0] = value;
  const sign = ((bits[0] as number) >>> 16) & 0x8000;
  const magnitude = (bits[0] as number) & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // The floats from ½ to 1 are 2^−24 apart, as the denormal halves are: the addition rounds.
    bits[0] = magnitude;
    float[0] = (float[0] as number) + 0.5;
    return sign | ((bits[0] as number) - 0x3f000000);
  }
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

function numberToBfloat16(value: number): number {
  float[0] = value;
  const b = bits[0] as number;
  if ((b & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff;
}

export interface HalfFormat {
  toNumber(half: number): number;
  /** Of a float32 number; NaN becomes the one canonical NaN. */
  fromNumber(value: number): number;
}

const float16: HalfFormat = {
  toNumber: (half) => float16Table()[half] as number,
  fromNumber: numberToFloat16,
};
const bfloat16: HalfFormat = { toNumber: bfloat16ToNumber, fromNumber: numberToBfloat16 };

export const halfFormats = { float16, bfloat16 } as const;
