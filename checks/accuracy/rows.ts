// The rows that are measured. Made by exact operations from seeded integers: the same on every machine.

import { formats } from '../../test/helpers/exact-row.js';
import { bitsOf, roundTo } from '../../test/helpers/half-bits.js';
import { Random } from '../../test/helpers/random.js';
import type { Batch, DTypeName } from './contestants.js';
import searchedRows from './searched-rows.json' with { type: 'json' };

export const scales = [1, 10, 100, 1000, 10000];
const lengths = [
  1, 2, 3, 5, 10, 31, 32, 33, 64, 100, 255, 257, 1000, 1024, 4095, 4096, 4097, 10000, 32000, 128256, 1000000,
];
/** Elements a batch, unless a single row has more. */
const batchElements = 20000;
const mostRows = 2000;
/** Longer rows: a batch of each kind at one scale only. */
const longLength = 100000;

/** Bell-shaped, with deviation 1: four uniform numbers. */
function bell(random: Random): number {
  return (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) * Math.sqrt(3);
}

type MakeRow = (random: Random, row: Float64Array, scale: number) => void;

const kinds: Record<string, MakeRow> = {
  random: (random, row, scale) => {
    for (let i = 0; i < row.length; i++) row[i] = bell(random) * scale;
  },
  // Three values, many times each: all their errors point the same way.
  ties: (random, row, scale) => {
    const top = bell(random) * scale;
    const values = [top, top - random.uniform(0, 4), top - random.uniform(0, 40)];
    for (let i = 0; i < row.length; i++) row[i] = values[random.integer(3)] as number;
  },
  // p close to 1 for one class: what is left of the others decides the loss and the gradient.
  'one dominant': (random, row, scale) => {
    const base = bell(random) * scale;
    for (let i = 0; i < row.length; i++) row[i] = base + bell(random);
    row[random.integer(row.length)] = base + random.uniform(4, 80);
  },
};

const equalRow: MakeRow = (random, row, scale) => row.fill(bell(random) * scale);

/** 1 to 1000, and from there on to a million. */
function* equalLengths(): Generator<number> {
  for (let length = 1; length <= 1000; length++) yield length;
  for (let length = 1150; length < 1e6; length = Math.round(length * 1.15)) yield length;
  yield 1e6;
}

function batchOf(
  dtype: DTypeName,
  kind: string,
  make: MakeRow,
  scale: number,
  rows: number,
  length: number,
  random: Random,
): Batch {
  const numbers = new Float64Array(rows * length);
  for (let r = 0; r < rows; r++) make(random, numbers.subarray(r * length, (r + 1) * length), scale);
  const values = dtype === 'float64' ? numbers : Float32Array.from(numbers);
  let data: Batch['data'] = values;
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const format = formats[dtype];
    for (let i = 0; i < values.length; i++) values[i] = roundTo(values[i] as number, format);
    data = Uint16Array.from(values, (value) => bitsOf(value, format));
  }
  // Half of the targets are the most probable class.
  const targets = Int32Array.from({ length: rows }, (_, r) => {
    if (random.uniform() < 0.5) return random.integer(length);
    let top = 0;
    for (let i = 1; i < length; i++)
      if ((values[r * length + i] as number) > (values[r * length + top] as number)) top = i;
    return top;
  });
  return { dtype, kind, scale, rows, length, values, data, targets };
}

export function* batches(dtype: DTypeName, seed: number): Generator<Batch> {
  const random = new Random(seed);
  // 16 bits: a longer row has no probability that is a normal float16.
  const longest = dtype === 'float16' || dtype === 'bfloat16' ? 4097 : 1e6;
  for (const [kind, make] of Object.entries(kinds))
    for (const length of lengths.filter((candidate) => candidate <= longest))
      for (const scale of length > longLength && kind !== 'random' ? [10] : scales) {
        const rows = Math.max(1, Math.min(mostRows, Math.floor(batchElements / length)));
        yield batchOf(dtype, kind, make, scale, rows, length, random);
      }
  for (const length of equalLengths())
    if (length <= longest)
      yield batchOf(dtype, 'equal', equalRow, scales[length % 5] as number, 1, length, random);
  // Found by climbing from random rows, and by bringing together the logits whose exponentials are the least accurate.
  for (const found of searchedRows)
    yield batchOf(dtype, 'searched', (_, row) => row.set(found), 1, 1, found.length, random);
}
