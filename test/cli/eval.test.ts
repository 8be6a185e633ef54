// softmax-native eval: its figures beside their definitions, on every kind of file.

import { closeSync, existsSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import * as api from 'softmax-native';
import { afterAll, describe, expect, it } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { Bins } from '../../src/cli/eval/bins.js';
import { Sum } from '../../src/cli/eval/sum.js';
import { Tally } from '../../src/cli/eval/tally.js';
import { openInput } from '../../src/cli/files/input.js';
import { floats, integers } from '../../src/cli/npy/dtypes.js';
import { elementsOfBlock, LabelledFiles } from '../../src/cli/rows/labelled-rows.js';
import { type Expected, labelFile, reference } from '../helpers/evaluation.js';
import { cli, cliRuns, dataBytes, dictText, Folder, headerBytes, type Values } from '../helpers/npy.js';
import { preload } from '../helpers/processes.js';
import { Random } from '../helpers/random.js';

const folder = new Folder();
const { at } = folder;
afterAll(() => folder.remove());

const random = new Random(20261130);

const file = (name: string, descr: string, shape: readonly number[], values: Values, isFortran = false) =>
  folder.write(name, headerBytes(dictText(descr, shape, isFortran)), dataBytes(descr, values));

/** What the command prints as JSON, for each of these. */
function evaluated(...runs: (readonly string[])[]): (Expected & Record<string, unknown>)[] {
  return cliRuns(runs.map((words) => ['eval', ...words, '--json'])).map(({ status, stdout, stderr }) => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout);
  });
}

/** `tolerance`: relative. */
function expectFigures(found: Expected | undefined, expected: Expected, tolerance = 1e-13): void {
  for (const name of Object.keys(expected) as (keyof Expected)[]) {
    const [own, other] = [found?.[name] as number, expected[name]];
    expect(Math.abs(own - other), `${name}: ${own} is not ${other}`).toBeLessThanOrEqual(tolerance * other);
  }
}

/** Logits of float64 and float32 values, labels that follow them, and some that are ignored. */
function problem(rows: number, classes: number, spread = 3) {
  const logits = Float64Array.from(random.normals(rows * classes, spread));
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    if (row % 17 === 5) return -100;
    const own = logits.subarray(row * classes, (row + 1) * classes);
    return row % 3 === 0 ? Math.floor(random.uniform(0, classes)) : own.indexOf(Math.max(...own));
  });
  return { logits, labels };
}

const small = problem(300, 12);
file('x.npy', '<f8', [300, 12], small.logits);
labelFile(folder, 'y.npy', '<i4', small.labels);

describe('figures', () => {
  it('by hand: probabilities of eighths', () => {
    const row = [0, Math.LN2, 2 * Math.LN2, 0];
    file('hand.npy', '<f8', [3, 4], Float64Array.of(...row, ...row, ...row));
    labelFile(folder, 'hand-labels.npy', '|u1', Uint8Array.of(2, 0, 1));
    const [found] = evaluated([at('hand.npy'), at('hand-labels.npy')]);
    // Losses of ln 2, ln 8 and ln 4. All are confident by a half, and one is right.
    expectFigures(found, {
      rows: 3,
      ignored: 0,
      crossEntropy: 2 * Math.LN2,
      perplexity: 4,
      accuracy: 1 / 3,
      top5Accuracy: 1,
      ece: 1 / 6,
      mce: 1 / 6,
      brier: (22 + 70 + 54) / 64 / 3,
    });
    expect(found?.classes).toBe(4);
    const bins = found?.bins as { from: number; to: number; count: number }[];
    expect(bins.filter(({ count }) => count > 0)).toEqual([
      { from: 7 / 15, to: 8 / 15, count: 3, accuracy: 1 / 3, confidence: expect.closeTo(0.5, 15) },
    ]);
    expect(bins[0]).toEqual({ from: 0, to: 1 / 15, count: 0, accuracy: null, confidence: null });
    const { status, stdout } = cli(['eval', at('hand.npy'), at('hand-labels.npy'), '--bins', '1']);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: [
        'rows                   3',
        'ignored                0',
        'classes                4',
        'temperature            1',
        'cross-entropy    1.38629',
        'perplexity             4',
        'accuracy        0.333333',
        'top-5 accuracy         1',
        'ECE, 1 bin      0.166667',
        'MCE             0.166667',
        'Brier score     0.760417',
        '',
      ].join('\n'),
    });
  });

  it("published: the examples of torchmetrics' MulticlassCalibrationError and scikit-learn's log_loss and brier_score_loss", () => {
    const logs = (...p: number[]) => Float64Array.from(p, Math.log);
    file('tm.npy', '<f8', [4, 3], logs(0.25, 0.2, 0.55, 0.55, 0.05, 0.4, 0.1, 0.3, 0.6, 0.9, 0.05, 0.05));
    labelFile(folder, 'tm-labels.npy', '<i8', BigInt64Array.of(0n, 1n, 2n, 0n));
    file('ll.npy', '<f8', [4, 2], logs(0.1, 0.9, 0.9, 0.1, 0.8, 0.2, 0.35, 0.65));
    labelFile(folder, 'll-labels.npy', '<i8', BigInt64Array.of(1n, 0n, 0n, 1n));
    file('bs.npy', '<f8', [4, 2], logs(0.9, 0.1, 0.1, 0.9, 0.2, 0.8, 0.7, 0.3));
    labelFile(folder, 'bs-labels.npy', '<i8', BigInt64Array.of(0n, 1n, 1n, 0n));
    const [metrics, loss, score] = evaluated(
      [at('tm.npy'), at('tm-labels.npy'), '--bins', '3'],
      [at('ll.npy'), at('ll-labels.npy')],
      [at('bs.npy'), at('bs-labels.npy')],
    );
    expect(metrics?.ece).toBeCloseTo(0.2, 12);
    expect(metrics?.mce).toBeCloseTo(0.2333333333333, 12);
    expect(loss?.crossEntropy).toBeCloseTo(0.21616, 5);
    // 0.0375 there, where the one of two classes counts that is called positive; here both do.
    expect(score?.brier).toBeCloseTo(2 * 0.0375, 12);
  });

  it('by their definitions', () => {
    const { logits, labels } = small;
    const [plain, ...others] = evaluated(
      [at('x.npy'), at('y.npy')],
      [at('x.npy'), at('y.npy'), '--bins', '7', '--temperature', '2.5'],
      [at('x.npy'), at('y.npy'), '--bins', '1000', '--temperature', '0.1', '--ignore-index', '-100'],
    );
    expect(plain?.ignored).toBe(18);
    expectFigures(plain, reference(logits, 12, labels));
    expectFigures(others[0], reference(logits, 12, labels, { bins: 7, temperature: 2.5 }));
    expectFigures(others[1], reference(logits, 12, labels, { bins: 1000, temperature: 0.1 }), 1e-12);
  });

  it('ties: of equal logits the first counts, as argMax and topK have it', () => {
    // Two classes share the first place; eight share the places from the second on.
    const rows = [Float64Array.of(3, 1, 3), Float64Array.of(3, 1, 3)];
    file('ties.npy', '<f8', [2, 3], Float64Array.from(rows.flatMap((row) => [...row])));
    labelFile(folder, 'ties-labels.npy', '<i2', Int16Array.of(0, 2));
    file(
      'many.npy',
      '<f4',
      [4, 9],
      Float32Array.from({ length: 36 }, (_, i) => (i % 9 === 8 ? 2 : 1)),
    );
    labelFile(folder, 'many-labels.npy', '<u2', Uint16Array.of(8, 3, 4, 7));
    const [two, many] = evaluated(
      [at('ties.npy'), at('ties-labels.npy')],
      [at('many.npy'), at('many-labels.npy')],
    );
    expect(two).toMatchObject({ accuracy: 0.5, top5Accuracy: 1 });
    // The five are 8, 0, 1, 2, 3.
    expect(many).toMatchObject({ accuracy: 0.25, top5Accuracy: 0.5 });
  });

  it('sums lose nothing that is small beside others', () => {
    const sum = new Sum();
    for (const term of [1, 1e100, 1, -1e100]) sum.add(term);
    expect(sum.value).toBe(2);
    sum.add(Number.POSITIVE_INFINITY);
    sum.add(1);
    expect(sum.value).toBe(Number.POSITIVE_INFINITY);
  });

  it('a confidence on an edge is in the bin below, and one just above it is not', () => {
    const binOf = (confidence: number, count: number): number => {
      const bins = new Bins(count);
      bins.add(confidence, true);
      return bins.calibration().bins.findIndex((bin) => bin.count === 1);
    };
    // 7/25 · 25 is more than 7, and 1/49 · 49 less than 1.
    for (let count = 1; count < 60; count++)
      for (let m = 1; m <= count; m++) {
        expect(binOf(m / count, count)).toBe(m - 1);
        const above = (m / count) * (1 + 2 * Number.EPSILON);
        expect(binOf(above, count)).toBe(Math.min(m, count - 1));
      }
  });

  it('a label of probability 0: infinite, in JSON null', () => {
    file('zero.npy', '<f4', [2, 2], Float32Array.of(0, Number.NEGATIVE_INFINITY, 1, 1));
    labelFile(folder, 'zero-labels.npy', '<i4', Int32Array.of(1, 0));
    const [found] = evaluated([at('zero.npy'), at('zero-labels.npy')]);
    expect(found).toMatchObject({ crossEntropy: null, perplexity: null, accuracy: 0.5, brier: 1.25 });
    const { stdout } = cli(['eval', at('zero.npy'), at('zero-labels.npy')]);
    expect(stdout).toMatch(/^cross-entropy +Infinity\nperplexity +Infinity$/m);
  });
});

describe('files', () => {
  it('every dtype and order of logits, every dtype of labels', () => {
    const { logits, labels } = small;
    const kept = Array.from(labels, (label) => (label === -100 ? 100 : label));
    const label = (descr: string, array: Parameters<typeof labelFile>[3]) =>
      labelFile(folder, `y${descr}.npy`, descr, array);
    const big = BigInt64Array.from(kept, BigInt);
    const allLabels = [
      label('|i1', Int8Array.from(kept)),
      label('|u1', Uint8Array.from(kept)),
      label('<i2', Int16Array.from(kept)),
      label('>u2', Uint16Array.from(kept)),
      label('>i4', Int32Array.from(kept)),
      label('<u4', Uint32Array.from(kept)),
      label('<i8', big),
      label('>u8', BigUint64Array.from(big)),
    ];
    const half = (type: 'float16' | 'bfloat16') => Uint16Array.from(logits, halfFormats[type].fromNumber);
    const transposed = Float64Array.from(
      logits,
      (_, i) => logits[(i % 300) * 12 + Math.floor(i / 300)] as number,
    );
    const files = [
      [file('f4.npy', '<f4', [300, 12], Float32Array.from(logits)), logits],
      [file('>f8.npy', '>f8', [300, 12], logits), logits],
      [file('fortran.npy', '<f8', [300, 12], transposed, true), logits],
      [
        file('f2.npy', '>f2', [300, 12], half('float16')),
        Array.from(half('float16'), halfFormats.float16.toNumber),
      ],
      [
        file('V2.npy', '<V2', [300, 12], half('bfloat16')),
        Array.from(half('bfloat16'), halfFormats.bfloat16.toNumber),
      ],
    ] as const;
    const words = (x: string, y: string) => [
      ...[x, y, '--ignore-index', '100'],
      ...(x.endsWith('V2.npy') ? ['--dtype', 'bfloat16'] : []),
    ];
    const found = evaluated(
      ...files.map(([x]) => words(x, allLabels[0] as string)),
      ...allLabels.map((y) => words(at('x.npy'), y)),
    );
    files.forEach(([, values], i) => {
      expectFigures(found[i], reference(values, 12, labels));
    });
    for (const other of found.slice(files.length)) expect(other).toEqual(found[1]);
  });

  it('the same figures whatever a block has', async () => {
    const { logits, labels } = problem(700, 31);
    const transposed = Float64Array.from(
      logits,
      (_, i) => logits[(i % 700) * 31 + Math.floor(i / 700)] as number,
    );
    const y = labelFile(folder, 'block-labels.npy', '<i8', BigInt64Array.from(labels, BigInt));
    const names = [
      file('block.npy', '<f4', [700, 31], Float32Array.from(logits)),
      file('block-fortran.npy', '>f4', [700, 31], Float32Array.from(transposed), true),
    ];
    for (const x of names) {
      const own = await openInput(x, { array: undefined, option: '--array', dtypes: floats() });
      const beside = await openInput(y, { array: undefined, option: '--array', dtypes: integers });
      const files = new LabelledFiles(own, beside, -100);
      const measured = async (elements: number) => {
        const tally = new Tally({ api, classes: 31, bins: 15, temperature: 1.3, wantsSlope: true });
        for await (const rows of files.blocks(elements)) tally.add(rows);
        return tally.measured();
      };
      const whole = await measured(1e6);
      expectFigures(whole.figures, reference(logits, 31, labels, { temperature: 1.3 }));
      for (const elements of [1, 32, 100, 31 * 699]) expect(await measured(elements)).toEqual(whole);
      for (const { descriptor } of [own, beside]) closeSync(descriptor);
    }
  });

  it('the same bits on every backend', () => {
    const words = ['eval', at('x.npy'), at('y.npy'), '--json', '--fit-temperature'];
    const native = cli(words, { SOFTMAX_BACKEND: 'native' });
    expect(native).toMatchObject({ status: 0, stderr: '' });
    expect(cli(words, { SOFTMAX_BACKEND: 'js' })).toEqual(native);
    if (existsSync(new URL('../../dist/softmax-simd.wasm', import.meta.url)))
      expect(cli(words, { SOFTMAX_BACKEND: 'wasm' })).toEqual(native);
  });

  it('300 MB in the memory of some blocks', () => {
    const [rows, classes] = [75_000, 1000];
    expect(rows * classes).toBeGreaterThan(100 * elementsOfBlock);
    // A hole in a file is read as zeros.
    const header = headerBytes(dictText('<f4', [rows, classes]));
    const descriptor = openSync(at('large.npy'), 'w');
    writeSync(descriptor, header);
    ftruncateSync(descriptor, header.length + 4 * rows * classes);
    closeSync(descriptor);
    labelFile(folder, 'large-labels.npy', '|i1', new Int8Array(rows));
    const flags = preload("process.on('exit', () => console.error(process.resourceUsage().maxRSS))");
    const { status, stdout, stderr } = cli(['eval', at('large.npy'), at('large-labels.npy')], {}, flags);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^rows +75000$/m);
    expect(stdout).toMatch(/^perplexity +1000\naccuracy +1$/m);
    expect(Number(stderr)).toBeLessThan(180_000);
  });
});
