// Every operation of the table has a test of its numbers: a file of its own in test/numbers, which holds it against a
// reference (test/helpers/accuracy.ts).

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { softmax } from 'softmax-native';
import { describe, expect, it } from 'vitest';
import { expectAccurate } from '../helpers/accuracy.js';
import { Random } from '../helpers/random.js';
import { referenceSoftmax } from '../helpers/reference.js';
import { allSignatures, tokenOperations } from '../helpers/signatures.js';

const directory = fileURLToPath(new URL('../numbers/', import.meta.url));
const fileOf = (name: string) => `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.test.ts`;

it.each(allSignatures.map((one) => [one.name, fileOf(one.name), one] as const))(
  '%s: test/numbers/%s',
  (name, file, one) => {
    const exists = existsSync(directory + file);
    expect(exists, `${name} has no test of its numbers: write test/numbers/${file}`).toBe(true);
    // Integers, and what has the bits of other functions, are held against those exactly.
    if (one.holds || one.results) return;
    const calls = new RegExp(`^ +expectAccurate\\('${name}', \\{$`, 'm');
    expect(
      readFileSync(directory + file, 'utf8'),
      `test/numbers/${file} never holds ${name} against a reference`,
    ).toMatch(calls);
  },
);

it('there are no others', () => {
  const names = [...allSignatures.map(({ name }) => name), ...tokenOperations];
  expect(readdirSync(directory).sort()).toEqual(names.map(fileOf).sort());
});

describe('expectAccurate finds', () => {
  const random = new Random(1);
  const calls = Array.from({ length: 40 }, (_, i) => ({ inputs: [random.normals(100)], label: `row ${i}` }));
  const check = (
    reference: (row: readonly number[]) => Float64Array,
    tolerance = (exact: number) => 1e-6 * exact,
  ) => expectAccurate('softmax', { calls, reference: ([row = []]) => reference(row), tolerance });

  it('nothing in what is right', () => check(referenceSoftmax));
  it('an error of 2e-6 in one element', () => {
    const wrong = (row: readonly number[]) =>
      referenceSoftmax(row).map((p, i) => (i === 99 ? p * (1 + 2e-6) : p));
    expect(() => check(wrong)).toThrow(/row \d+: result\[99\] is 0\.\d+, not 0\.\d+/);
  });
  it('NaN, and a result of another length', () => {
    expect(() => check((row) => referenceSoftmax(row).fill(Number.NaN, 3, 4))).toThrow('result[3]');
    expect(() => check((row) => referenceSoftmax(row).subarray(1))).toThrow('row 0: result');
  });
  it('a tolerance that allows anything, and the results as their own reference', () => {
    expect(() => check(referenceSoftmax, () => 1)).toThrow('elements that are compared closely');
    expect(() => check((row) => softmax(row as never))).toThrow('got a plain array');
  });
});
