// One backend (SOFTMAX_BACKEND, SOFTMAX_ISA) over all 16-bit patterns: a hash of each call's results; with --every N,
// the errors of one row in N too. Prints JSON; progress as lines on the error output.

import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { backend } from 'softmax-native';
import { formats } from '../../test/helpers/exact-row.js';
import { numberOf } from '../../test/helpers/half-bits.js';
import {
  callsOf,
  companions,
  companionsOf,
  type Form,
  formsOf,
  type HalfType,
  targetsOf,
  type Values,
} from './half-calls.js';
import { exactResults } from './half-exact.js';
import { errorOf } from './half-rows.js';

export interface HalfWorst {
  /** ULP; null (infinity in JSON) for a result that is not the stated one. */
  error: number | null;
  /** Of the row that has it. */
  where: string;
}
export interface HalfReport {
  readonly backend: string;
  /** By dtype, form and call. */
  readonly hashes: Record<string, string>;
  /** By dtype, call and output. */
  readonly worst: Record<string, HalfWorst>;
  readonly compared: number;
}

const { values: options } = parseArgs({ options: { every: { type: 'string' } } });
const every = options.every === undefined ? undefined : Number(options.every);
const types: readonly HalfType[] = ['float16', 'bfloat16'];
const outputNames = ['', ', gradient', ', logSumExp'];
const hashes: Record<string, string> = {};
const worst: Record<string, HalfWorst> = {};
let compared = 0;

const hashOf = (outputs: readonly Values[]) => {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of outputs)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex').slice(0, 16);
};

function note(key: string, error: number, where: () => string): void {
  compared++;
  const statistic = worst[key];
  if (!statistic) worst[key] = { error, where: where() };
  else if (error > (statistic.error ?? 0)) Object.assign(statistic, { error, where: where() });
}

function compare(dtype: HalfType, form: Form, results: Record<string, Values[]>, step: number): void {
  const { length, bits, name } = form;
  const format = formats[dtype];
  const given = Object.fromEntries(
    Object.entries(companions).map(([key, values]) => [key, companionsOf(form, dtype, values)]),
  ) as Record<keyof typeof companions, Uint16Array>;
  const targets = targetsOf(form);
  for (let row = 0; row < 65536; row += step) {
    const numbersOf = (all: Uint16Array) =>
      Array.from(all.subarray(row * length, (row + 1) * length), (half) => numberOf(half, format));
    const exact = exactResults({
      x: numbersOf(bits),
      numbers: numbersOf(given.numbers),
      probabilities: numbersOf(given.probabilities),
      logProbabilities: numbersOf(given.logProbabilities),
      target: targets[row] as number,
    });
    for (const [call, outputs] of Object.entries(exact))
      outputs.forEach((elements, k) => {
        const output = (results[call] as Values[])[k] as Values;
        const isHalf = output instanceof Uint16Array;
        elements.forEach((wanted, i) => {
          const element = output[row * elements.length + i] as number;
          const actual = isHalf ? numberOf(element, format) : element;
          note(
            `${dtype} ${call}${outputNames[k]}`,
            errorOf(actual, wanted, isHalf ? format : formats.float32),
            () => {
              return `${name}, x = ${numberOf(row, format)} (0x${row.toString(16).padStart(4, '0')}), [${i}]: ${actual}`;
            },
          );
        });
      });
  }
}

const total = types.length * 5;
let done = 0;
for (const dtype of types)
  for (const form of formsOf(dtype)) {
    const results: Record<string, Values[]> = {};
    for (const [call, run] of Object.entries(callsOf(form, dtype))) {
      results[call] = run();
      hashes[`${dtype} ${form.name} ${call}`] = hashOf(results[call]);
    }
    if (every !== undefined) compare(dtype, form, results, every);
    console.error(`progress ${++done / total}`);
  }
const report: HalfReport = { backend: backend.isa ?? 'js', hashes, worst, compared };
console.log(JSON.stringify(report));
