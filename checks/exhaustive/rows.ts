// What is gone through, as in native/test/exhaustive_sweep.h: bit patterns of float32 in rows of 65,536 neighbours.

export type SweepName = 'exp' | 'exp-beside-0' | 'exp-double' | 'log' | 'log-one-plus';

export interface Sweep {
  readonly name: SweepName;
  /** Of logits, in exp. */
  readonly multiplier: number;
  /** One of so many patterns, a power of two; 1 is all. */
  readonly every: number;
}

/** The first row and the one after the last. */
export const rowsOf: Readonly<Record<SweepName, readonly [first: number, end: number]>> = {
  exp: [0, 65536],
  'exp-beside-0': [0x8000, 65536],
  'exp-double': [0, 65536],
  log: [0x0080, 0x7f80],
  'log-one-plus': [0, 0x3f81],
};

/** The patterns that are arguments; 1 is taken for the others. */
export const limitsOf: Readonly<Record<'exp-double' | 'log' | 'log-one-plus', readonly [number, number]>> = {
  'exp-double': [0, 0xffffffff],
  log: [0x00800000, 0x7f7fffff],
  'log-one-plus': [0, 0x3f800000],
};

/** Where the threshold, the reference, the arithmetic or the format changes. */
const wholeRows = new Set([
  0x0000, 0x0001, 0x007f, 0x0080, 0x3cb1, 0x3f7f, 0x3f80, 0x42ae, 0x442e, 0x442f, 0x447f, 0x4480, 0x7f7f,
  0x7f80,
]);

/** Fills in the patterns of a row. How many there are. */
export function fillPatterns(row: number, every: number, patterns: Uint32Array): number {
  const step = wholeRows.has(row & 0x7fff) ? 1 : every;
  const first = row * 65536 + ((row * 37) & (step - 1));
  const count = 65536 / step;
  for (let i = 0; i < count; i++) patterns[i] = first + i * step;
  return count;
}

export function patternAt(row: number, every: number, index: number): number {
  const patterns = new Uint32Array(65536);
  fillPatterns(row, every, patterns);
  return patterns[index] as number;
}

/** Four chains, for speed. */
export function hashOf(words: Uint32Array, count: number): number {
  let [a, b, c, d] = [1, 2, 3, 4];
  for (let i = 0; i < count; i += 4) {
    a = Math.imul(a ^ (words[i] as number), 0x9e3779b1);
    b = Math.imul(b ^ (words[i + 1] as number), 0x9e3779b1);
    c = Math.imul(c ^ (words[i + 2] as number), 0x9e3779b1);
    d = Math.imul(d ^ (words[i + 3] as number), 0x9e3779b1);
    a ^= a >>> 15;
    b ^= b >>> 15;
    c ^= c >>> 15;
    d ^= d >>> 15;
  }
  return (Math.imul(Math.imul(Math.imul(a, 31) + b, 31) + c, 31) + d) >>> 0;
}
