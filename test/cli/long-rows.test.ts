// Rows that are larger than the memory given: within a unit of what float64 gives for the whole row, a line that says so,
// and the rules for NaN and infinities.

import { logSoftmax, softmax } from 'softmax-native';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { differenceFor } from '../../src/cli/rows/shares.js';
import { cli, cliRuns, dataBytes, dictText, Folder, headerBytes } from '../helpers/npy.js';
import { Random } from '../helpers/random.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

type Descr = '<f2' | '<V2' | '<f4' | '<f8' | '>f4';
const formatOfHalf = (descr: Descr) => halfFormats[descr === '<V2' ? 'bfloat16' : 'float16'];

/** Elements of the dtype nearest to the values, and those as float64. */
function rounded(descr: Descr, values: Float64Array) {
  if (descr === '<f8') return { elements: values, exact: values };
  if (!descr.endsWith('2')) {
    const elements = Float32Array.from(values);
    return { elements, exact: Float64Array.from(elements) };
  }
  const { toNumber, fromNumber } = formatOfHalf(descr);
  const elements = Uint16Array.from(values, fromNumber);
  return { elements, exact: Float64Array.from(elements, toNumber) };
}

function decoded(descr: Descr, bytes: Buffer): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = Number(descr[2]);
  const isLittle = descr[0] === '<';
  const { toNumber } = formatOfHalf(descr);
  return Float64Array.from({ length: bytes.length / size }, (_, i) => {
    if (size === 8) return view.getFloat64(i * 8, isLittle);
    return size === 4 ? view.getFloat32(i * 4, isLittle) : toNumber(view.getUint16(i * 2, isLittle));
  });
}

interface Trial {
  readonly descr: Descr;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly values: Float64Array;
  readonly isLog?: boolean;
  /** A text too: −0 has a sign of its own there alone. */
  readonly temperature?: number | string;
  readonly memory?: string;
}

/** What the command line writes, and the float64 of one call, for each trial. */
function runAll(trials: readonly Trial[]) {
  const written = trials.map((trial, i) => {
    const { descr, shape, axis, values, isLog = false, temperature = 1, memory = '0.002' } = trial;
    const { elements, exact } = rounded(descr, values);
    const header = headerBytes(dictText(descr, shape));
    const file = folder.write(`x${i}.npy`, header, dataBytes(descr, elements));
    const name = isLog ? 'log-softmax' : 'softmax';
    const words = ['--function', name, '--axis', `${axis}`, '--temperature', `${temperature}`];
    if (descr === '<V2') words.push('--dtype', 'bfloat16');
    const options = { shape, axis, temperature: Number(temperature) };
    return {
      run: ['apply', file, '--memory', memory, ...words],
      note: noteOf(file, (shape.at(axis) as number) * Number(descr[2])),
      header,
      output: `x${i}.${name}.npy`,
      expected: (isLog ? logSoftmax : softmax)(exact, options),
    };
  });
  const outcomes = cliRuns(written.map(({ run }) => run));
  const results = written.map(({ note, header, output, expected }, i) => {
    const trial = trials[i] as Trial;
    expect(outcomes[i]).toMatchObject({ status: 0, stderr: note });
    const file = folder.read(output);
    expect(file.subarray(0, header.length).equals(header)).toBe(true);
    return { trial, actual: decoded(trial.descr, file.subarray(header.length)), expected };
  });
  folder.empty();
  return results;
}

const noteOf = (file: string, rowSize: number) =>
  `softmax-native: ${file}: a row of ${rowSize} bytes is larger than --memory: ` +
  'it is computed in pieces, and its last bits may differ from those of one call\n';

/** Bits of the mantissa, and the exponent of the smallest normal number. */
const formatOf = (descr: Descr) =>
  ({ f2: [10, -14], V2: [7, -126], f4: [23, -126], f8: [52, -1022] })[descr.slice(1)] as [number, number];

/** The distance of neighbours. */
function unit(descr: Descr, value: number): number {
  const [bits, lowest] = formatOf(descr);
  return 2 ** (Math.max(lowest, Math.floor(Math.log2(Math.abs(value)))) - bits);
}

/** Rounded once, a result is half a unit off at most, but for what float64 itself is off. */
function expectClose(trials: readonly Trial[]): void {
  for (const { trial, actual, expected } of runAll(trials)) {
    const { descr, isLog = false, values } = trial;
    // As everywhere, log-softmax is as good as the logits are.
    const largest = isLog ? values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 0;
    const smallest = descr === '<f2' ? unit(descr, 0) : 2 ** formatOf(descr)[1];
    let worst = 0;
    expected.forEach((value, i) => {
      const found = actual[i] as number;
      if (Object.is(found, value) || (found === 0 && Math.abs(value) < smallest)) return;
      const own = descr === '<f8' ? 24 * unit(descr, Math.max(Math.abs(value), largest)) : 0;
      const allowed = own + (descr === '<f8' ? 0 : 0.5001 * unit(descr, value)) + largest * 2 ** -50;
      worst = Math.max(worst, Math.abs(found - value) / allowed);
    });
    expect(worst, JSON.stringify({ ...trial, values: undefined })).toBeLessThanOrEqual(1);
  }
}

const random = new Random(20261126);
const normals = (length: number, deviation: number) =>
  Float64Array.from({ length }, () => random.normal(deviation));

describe('close to float64', () => {
  it.each(['<f2', '<f4', '<f8', '>f4'] as const)('%s', (descr) => {
    const trials: Trial[] = [];
    for (const isLog of [false, true])
      for (const deviation of [1, 30])
        for (const [shape, axis] of [
          [[2, 3000], 1],
          [[3000, 7], 0],
          [[2, 2500, 3], 1],
        ] as const) {
          const values = normals(
            shape.reduce<number>((product, size) => product * size, 1),
            deviation,
          );
          trials.push({ descr, shape, axis, values, isLog, temperature: 0.9 });
        }
    expectClose(trials);
  });

  it('bfloat16', () => {
    const trial = { descr: '<V2', shape: [2, 3000], axis: 1 } as const;
    expectClose([false, true].map((isLog) => ({ ...trial, values: normals(6000, 5), isLog })));
  });

  it('log-softmax of more columns than are kept at once', () => {
    expectClose([{ descr: '<f4', shape: [600, 400], axis: 0, values: normals(240_000, 5), memory: '0.002' }]);
  });

  it('blocks that differ by more than exp can hold', () => {
    const values = Float64Array.from(
      { length: 3000 },
      (_, i) => (i < 1000 ? -5000 : i < 2000 ? 700 : -9000) + (i % 7),
    );
    expectClose(
      (['<f4', '<f8'] as const).flatMap((descr) =>
        [false, true].map((isLog) => ({ descr, shape: [3000], axis: 0, values, isLog })),
      ),
    );
  });

  it('temperatures 0, −0 and Infinity', () => {
    const values = Float64Array.from({ length: 3000 }, (_, i) => (i % 1000 === 5 ? 3 : -1));
    values[17] = Number.NEGATIVE_INFINITY;
    const trial = { descr: '<f4', shape: [3000], axis: 0, values } as const;
    expectClose(
      ['0', '-0', 'Infinity'].flatMap((temperature) =>
        [false, true].map((isLog) => ({ ...trial, isLog, temperature })),
      ),
    );
  });
});

describe('NaN, infinities and tiny results', () => {
  const row = (at: number, value: number, others = 0) => {
    const values = new Float64Array(3000).fill(others);
    values[at] = value;
    return values;
  };
  const isAll = (values: Float64Array, wanted: number) => values.every((value) => Object.is(value, wanted));

  it.each(['<f2', '<f4', '<f8'] as const)('%s: a NaN or Infinity makes its whole row NaN', (descr) => {
    const trials: Trial[] = [];
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const at of [0, 1500, 2999])
        for (const isLog of [false, true]) {
          const values = new Float64Array(6000).fill(1);
          values.set(row(at, value));
          trials.push({ descr, shape: [2, 3000], axis: 1, values, isLog });
        }
    for (const { actual } of runAll(trials)) {
      expect(isAll(actual.subarray(0, 3000), Number.NaN)).toBe(true);
      expect(actual.subarray(3000).some(Number.isNaN)).toBe(false);
    }
  });

  it('nothing but −Infinity is NaN; one other element has all', () => {
    const infinite = row(0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
    const one = row(1500, 5, Number.NEGATIVE_INFINITY);
    const trials: Trial[] = [];
    for (const temperature of [0, 1, Number.POSITIVE_INFINITY])
      for (const isLog of [false, true])
        for (const values of [infinite, one])
          trials.push({ descr: '<f4', shape: [3000], axis: 0, temperature, isLog, values });
    for (const { trial, actual } of runAll(trials)) {
      if (trial.values === infinite) expect(isAll(actual, Number.NaN)).toBe(true);
      else {
        const nothing = trial.isLog ? Number.NEGATIVE_INFINITY : 0;
        expect(actual[1500]).toBe(trial.isLog ? 0 : 1);
        expect(actual.filter((value) => value === nothing)).toHaveLength(2999);
      }
    }
  });

  it('NaNs are the one NaN of their type', () => {
    const bitsOf = { '<f2': '007e', '<V2': 'c07f', '<f4': '0000c07f', '<f8': '000000000000f87f' } as const;
    const written = Object.entries(bitsOf).map(([name, bits]) => {
      const descr = name as keyof typeof bitsOf;
      const header = headerBytes(dictText(descr, [3000]));
      const data = dataBytes(descr, rounded(descr, row(7, Number.NaN)).elements);
      const file = folder.write(`${descr.slice(1)}.npy`, header, data);
      const words = descr === '<V2' ? ['--dtype', 'bfloat16'] : [];
      return { bits, header, descr, run: ['apply', file, '--memory', '0.001', ...words] };
    });
    const outcomes = cliRuns(written.map(({ run }) => run));
    written.forEach(({ bits, header, descr }, i) => {
      expect(outcomes[i]?.status).toBe(0);
      const data = folder.read(`${descr.slice(1)}.softmax.npy`).subarray(header.length);
      expect(data.toString('hex')).toBe(bits.repeat(3000));
    });
  });

  it('exp(x − max) below 2^−126 gives 0, and above it a number', () => {
    const trial = { descr: '<f4', shape: [3000], axis: 0 } as const;
    const [below, above] = runAll([-87.34, -87.33].map((value) => ({ ...trial, values: row(10, value) })));
    expect(below?.actual[10]).toBe(0);
    expect(above?.actual[10]).toBeGreaterThan(0);
  });

  it('differences of huge numbers do not overflow', () => {
    expect(differenceFor(1e300)(-1.7e308, 1.7e308)).toBeCloseTo(-3.4e8, 6);
  });
});

it('--quiet does not hide that a row is computed in pieces', () => {
  const header = headerBytes(dictText('<f4', [3000]));
  folder.write('x.npy', header, dataBytes('<f4', new Float32Array(3000)));
  const words = ['apply', folder.at('x.npy'), '--memory', '0.002'];
  const stdout = '';
  expect(cli([...words, '--quiet'])).toEqual({
    status: 0,
    stdout,
    stderr: noteOf(folder.at('x.npy'), 12_000),
  });
  expect(cli([...words, '--force', '--quiet', '--memory', '1'])).toEqual({ status: 0, stdout, stderr: '' });
});
