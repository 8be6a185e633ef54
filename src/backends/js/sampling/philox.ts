// Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011. Random words are a
// function of a counter and a key, without a state: any draw can be computed alone.

const firstMultiplier = 0xd2511f53;
const secondMultiplier = 0xcd9e8d57;
/** What is added to the key each round: of the golden ratio, and of √3 − 1. */
const firstWeyl = 0x9e3779b9;
const secondWeyl = 0xbb67ae85;
const rounds = 10;

/** The upper 32 bits of a product of two 32-bit integers. */
function upperProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536);
}

/** Of a counter of four words and a key of two: `words` become four random ones. */
export function philox(words: Uint32Array, keyLow: number, keyHigh: number): void {
  let a = words[0] as number;
  let b = words[1] as number;
  let c = words[2] as number;
  let d = words[3] as number;
  let k0 = keyLow;
  let k1 = keyHigh;
  for (let round = 0; round < rounds; round++) {
    const ofC = upperProduct(secondMultiplier, c);
    const ofA = upperProduct(firstMultiplier, a);
    const lowOfA = Math.imul(firstMultiplier, a);
    const lowOfC = Math.imul(secondMultiplier, c);
    a = (ofC ^ b ^ k0) >>> 0;
    b = lowOfC >>> 0;
    c = (ofA ^ d ^ k1) >>> 0;
    d = lowOfA >>> 0;
    k0 = (k0 + firstWeyl) >>> 0;
    k1 = (k1 + secondWeyl) >>> 0;
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}

/** Which draw of which row of which step, with what seed. */
export interface Draw {
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly stepLow: number;
  readonly stepHigh: number;
  readonly row: number;
}

const words = new Uint32Array(4);

/** A number in [0, 1) with 53 bits: draw number `draw`. */
export function uniformOf({ seedLow, seedHigh, stepLow, stepHigh, row }: Draw, draw: number): number {
  words[0] = draw;
  words[1] = stepLow;
  words[2] = stepHigh;
  words[3] = row;
  philox(words, seedLow, seedHigh);
  return ((words[0] as number) * 2 ** 21 + ((words[1] as number) >>> 11)) * 2 ** -53;
}
