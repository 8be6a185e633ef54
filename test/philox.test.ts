// Philox4x32-10 against the known answers of its authors' Random123 (tests/kat_vectors), and against integers of any size.

import { expect, test } from 'vitest';
import { philox, uniformOf } from '../src/backends/js/sampling/philox.js';
import { Random } from './helpers/random.js';

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ');

function philoxOf(counter: readonly number[], [low, high]: readonly [number, number]): Uint32Array {
  const words = Uint32Array.from(counter);
  philox(words, low, high);
  return words;
}

test('the known answers', () => {
  const ones = 0xffffffff;
  expect(hex(philoxOf([0, 0, 0, 0], [0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  expect(hex(philoxOf([ones, ones, ones, ones], [ones, ones]))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd');
  const ofPi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  expect(hex(philoxOf(ofPi, [0xa4093822, 0x299f31d0]))).toBe('d16cfe09 94fdcceb 5001e420 24126ea1');
});

/** The definition. */
function exactPhilox(counter: readonly number[], key: readonly number[]): bigint[] {
  const mask = 0xffffffffn;
  let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [p, q] = [a * 0xd2511f53n, c * 0xcd9e8d57n];
    [a, b, c, d] = [(q >> 32n) ^ b ^ k0, q & mask, (p >> 32n) ^ d ^ k1, p & mask];
    [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
  }
  return [a, b, c, d];
}

test('any counter and key', () => {
  const random = new Random(7);
  const word = () => random.integer(2 ** 32);
  for (let i = 0; i < 2000; i++) {
    const counter = [word(), word(), word(), word()];
    const key = [word(), word()] as const;
    expect([...philoxOf(counter, key)].map(BigInt)).toEqual(exactPhilox(counter, key));
  }
});

test('a uniform number is of the first two words', () => {
  const zero = { seedLow: 0, seedHigh: 0, stepLow: 0, stepHigh: 0, row: 0 };
  expect(uniformOf(zero, 0)).toBe((0x6627e8d5 * 2 ** 21 + (0xe169c58d >>> 11)) / 2 ** 53);
  const draw = { seedLow: 1, seedHigh: 2, stepLow: 4, stepHigh: 5, row: 6 };
  const [a, b] = exactPhilox([3, 4, 5, 6], [1, 2]) as [bigint, bigint];
  expect(uniformOf(draw, 3)).toBe(Number((a << 21n) + (b >> 11n)) / 2 ** 53);
});
