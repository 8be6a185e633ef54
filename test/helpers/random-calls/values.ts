// The numbers in arrays: made from a seed, so that a plan stays short whatever its arrays hold.

import type { IntegerKind, Palette } from './plan.js';

/** mulberry32: one word of state, enough for what only has to be varied. */
export function wordsOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  };
}

type Words = () => number;
const unit = (words: Words): number => words() / 2 ** 32;
const sign = (words: Words): number => (words() & 1 ? -1 : 1);
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

const special64 = [nan, infinity, -infinity, 0, -0, 1, -1, 1e30, -1e30, 1.7e308, 5e-324, 88.7, -87.4];
const special32 = [nan, infinity, -infinity, 0, -0, 1, -1, 1e30, -1e30, 3.4e38, 1e-45, 88.7, -87.4];

/** Maxima beyond such a number are subtracted: here of some blocks of a long row, and of others not. */
function aroundBound(words: Words): () => number {
  const bounds = [1024, 1024, 4096, 4096, 3e5];
  const bound = sign(words) * (bounds[words() % bounds.length] as number);
  let [count, top] = [0, bound];
  return () => {
    if (count++ % 4096 === 0) top = bound + 2 * (unit(words) - 0.5);
    return top - 4 * unit(words);
  };
}

/** Numbers for float64, or within what float32 holds. */
function numberMaker(palette: Palette, words: Words, isDouble: boolean): () => number {
  const specials = isDouble ? special64 : special32;
  const any = (): number => specials[words() % specials.length] as number;
  const common = (unit(words) - 0.5) * 200;
  switch (palette) {
    case 'normal':
      return () => 3 * (unit(words) - unit(words));
    case 'large':
      return () => 2000 * (unit(words) - 0.5);
    case 'huge':
      return () => sign(words) * (isDouble ? 1.7e308 : 3.3e38) * unit(words);
    case 'tiny':
      return () => sign(words) * (isDouble ? 1e-310 : 1e-40) * unit(words);
    case 'zeros':
      return () => (words() % 8 === 0 ? sign(words) : sign(words) * 0);
    case 'equal':
      return () => common;
    case 'specials':
      return () => (words() % 3 === 0 ? any() : 10 * (unit(words) - 0.5));
    case 'mostly -Infinity':
      return () => (words() % 8 === 0 ? 10 * (unit(words) - 0.5) : -infinity);
    case 'log-probabilities':
      return () => (words() % 128 === 0 ? -(unit(words) ** 4) : -4 - 26 * unit(words));
    case 'around a bound':
      return aroundBound(words);
    case 'any bits':
      return any;
  }
}

/** What float16 and bfloat16 hold: 1 and 2 are next to each other, NaN and the infinities are at the end. */
const halfBits = {
  float16: { low: 0x2c00, range: 0x1c00, specials: [0x7e00, 0x7c00, 0xfc00, 0, 0x8000, 0x3c00, 0x7bff, 1] },
  bfloat16: { low: 0x3d80, range: 0x300, specials: [0x7fc0, 0x7f80, 0xff80, 0, 0x8000, 0x3f80, 0x7f7f, 1] },
} as const;

function halfMaker(palette: Palette, words: Words, dtype: 'float16' | 'bfloat16'): () => number {
  const { low, range, specials } = halfBits[dtype];
  const ordinary = (): number => ((words() & 1) << 15) | (low + (words() % range));
  const common = ordinary();
  const special = (): number => specials[words() % specials.length] as number;
  switch (palette) {
    case 'huge':
      return () => ((words() & 1) << 15) | (specials[6] - (words() % 0x80));
    case 'tiny':
      return () => ((words() & 1) << 15) | (words() % 0x80);
    case 'zeros':
      return () => (words() % 8 === 0 ? ordinary() : (words() & 1) << 15);
    case 'equal':
      return () => common;
    case 'specials':
      return () => (words() % 3 === 0 ? special() : ordinary());
    case 'mostly -Infinity':
      return () => (words() % 8 === 0 ? ordinary() : specials[2]);
    case 'any bits':
      return () => words() & 0xffff;
    default:
      return ordinary;
  }
}

export type Floats = Float32Array | Float64Array | Uint16Array;
export type StoredKind = 'float32' | 'float64' | 'float16' | 'bfloat16';

/** Of 16-bit floats the bits. */
export function floatsOf(kind: StoredKind, palette: Palette, seed: number, length: number): Floats {
  const words = wordsOf(seed);
  if (kind === 'float16' || kind === 'bfloat16') {
    const make = halfMaker(palette, words, kind);
    const bits = new Uint16Array(length);
    for (let i = 0; i < length; i++) bits[i] = make();
    return bits;
  }
  if (palette === 'any bits') {
    const integers = new Uint32Array(kind === 'float64' ? 2 * length : length);
    for (let i = 0; i < integers.length; i++) integers[i] = words();
    return kind === 'float64' ? new Float64Array(integers.buffer) : new Float32Array(integers.buffer);
  }
  const make = numberMaker(palette, words, kind === 'float64');
  const floats = kind === 'float64' ? new Float64Array(length) : new Float32Array(length);
  for (let i = 0; i < length; i++) floats[i] = make();
  return floats;
}

const integerArrays = {
  Int32Array,
  Uint32Array,
  Uint16Array,
  Uint8Array,
  Int16Array,
  Int8Array,
  BigInt64Array,
  BigUint64Array,
} satisfies Readonly<Record<IntegerKind, unknown>>;
export type Integers = InstanceType<(typeof integerArrays)[IntegerKind]>;

export function integersOf(kind: IntegerKind, length: number, make: (index: number) => number): Integers {
  const array = new integerArrays[kind](length);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array)
    for (let i = 0; i < length; i++) array[i] = BigInt(make(i));
  else for (let i = 0; i < length; i++) array[i] = make(i);
  return array;
}

/** No array is longer: the sizes of one without elements may be beyond all memory, and a wrong product of sizes too. */
export const longestArray = 100_000;
