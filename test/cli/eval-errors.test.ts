// softmax-native eval: what it refuses. One line on the error output, the exit code, and no diagram.

import { spawnSync } from 'node:child_process';
import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { labelFile } from '../helpers/evaluation.js';
import {
  cli,
  cliPath,
  cliRuns,
  dataBytes,
  dictText,
  environment,
  Folder,
  headerBytes,
} from '../helpers/npy.js';

const folder = new Folder();
const { at } = folder;
afterEach(() => folder.empty());
afterAll(() => folder.remove());

/** NumPy 2.4.6: np.savez_compressed(file, logits=np.array([[0, 0], [0, np.log(3)]], 'f4'), labels=np.array([1, 1])) */
const archive = Buffer.from(
  'UEsDBC0AAAAIAAAAIQANOUyB//////////8KABQAbG9naXRzLm5weQEAEACQAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFyk' +
    'bqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKRpo6CrUKZAMuBiQQMr/HHgBQSwMELQAAAAgAAAAhAO/7k2f/' +
    '/////////woAFABsYWJlbHMubnB5AQAQAJAAAAAAAAAASQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBef' +
    'X5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuRgYIgNEAUEsBAi0DLQAAAAgAAAAhAA05TIFNAAAAkAAAAAoAAAAAAAAAAAAAAIAB' +
    'AAAAAGxvZ2l0cy5ucHlQSwECLQMtAAAACAAAACEA7/uTZ0kAAACQAAAACgAAAAAAAAAAAAAAgAGJAAAAbGFiZWxzLm5weVBLBQYAAAAA' +
    'AgACAHAAAAAOAQAAAAA=',
  'base64',
);

function logitsFile(shape: readonly number[], values: readonly number[] = [], name = 'x.npy'): string {
  const size = shape.reduce((product, length) => product * length, 1);
  const array = Float32Array.from({ length: size }, (_, i) => values[i] ?? i % 5);
  return folder.write(name, headerBytes(dictText('<f4', shape)), dataBytes('<f4', array));
}
const labelsFile = (...labels: number[]): string =>
  labelFile(folder, 'y.npy', '<i4', Int32Array.from(labels));

function expectFailure(words: readonly string[], message: string): void {
  const before = folder.names();
  const outcome = cli(['eval', ...words]);
  expect(outcome).toEqual({ status: 1, stdout: '', stderr: `softmax-native: ${message}\n` });
  expect(folder.names()).toEqual(before);
}

describe('the command line', () => {
  const wrong = [
    [[], 'LOGITS is missing'],
    [['x.npy'], 'LABELS is missing'],
    [['x.npy', ''], 'LABELS is missing'],
    [['x.npy', 'y.npy', 'z.npy'], "LOGITS and LABELS are expected, got 'z.npy' too"],
    [['-', '/dev/stdin'], "LOGITS and LABELS can't both be standard input"],
    [['x.npy', 'y.npy', '--diagram='], '--diagram is empty'],
    [['x.npy', 'y.npy', '--bins', '0'], "--bins must be an integer in [1, 1000], got '0'"],
    [['x.npy', 'y.npy', '--bins', '1001'], "--bins must be an integer in [1, 1000], got '1001'"],
    [['x.npy', 'y.npy', '--bins', '2.5'], "--bins must be an integer in [1, 1000], got '2.5'"],
    [['x.npy', 'y.npy', '--ignore-index', 'pad'], "--ignore-index must be an integer, got 'pad'"],
    [['x.npy', 'y.npy', '--temperature', '0'], "--temperature must be a number in [1e-300, 1e300], got '0'"],
    [
      ['x.npy', 'y.npy', '--temperature', 'inf'],
      "--temperature must be a number in [1e-300, 1e300], got 'inf'",
    ],
    [
      ['x.npy', 'y.npy', '--temperature', '2', '--fit-temperature'],
      '--temperature and --fit-temperature exclude each other',
    ],
    [
      ['x.npy', 'y.npy', '--dtype', 'f4'],
      "--dtype must be bfloat16, got 'f4': files name other dtypes themselves",
    ],
    [['x.npy', 'y.npy', '--bin', '3'], "Unknown option '--bin'; did you mean --bins?"],
  ] as const;

  it('words', () => {
    const outcomes = cliRuns(wrong.map(([words]) => ['eval', ...words]));
    wrong.forEach(([words, message], i) => {
      const stderr = `softmax-native: ${message} (see softmax-native eval --help)\n`;
      expect(outcomes[i], `${words}`).toEqual({ status: 2, stdout: '', stderr });
    });
  });
});

describe('shapes and dtypes', () => {
  it('of logits', () => {
    const y = labelsFile(0, 1);
    for (const [shape, shown] of [
      [[6], '(6,)'],
      [[], '()'],
      [[2, 3, 4], '(2, 3, 4)'],
    ] as const)
      expectFailure(
        [logitsFile(shape), y],
        `${at('x.npy')}: its shape ${shown} is not 2-dimensional: (rows, classes) is wanted`,
      );
    for (const [shape, shown] of [
      [[0, 3], '(0, 3)'],
      [[2, 0], '(2, 0)'],
    ] as const)
      expectFailure([logitsFile(shape), y], `${at('x.npy')}: its shape ${shown} has no elements`);
    const integers = labelFile(folder, 'x.npy', '<i8', BigInt64Array.of(0n));
    const wanted = 'it must be float16, float32 or float64';
    expectFailure([integers, y], `${integers}: its dtype '<i8' is not supported: ${wanted}`);
  });

  it('of labels', () => {
    const x = logitsFile([2, 3]);
    const wanted = 'labels must be integers of 8 to 64 bits';
    for (const descr of ['<f4', '|b1', '<V2', '<U4']) {
      const y = folder.write('y.npy', headerBytes(dictText(descr, [2])), new Uint8Array(8));
      expectFailure([x, y], `${y}: its dtype '${descr}' is not supported: ${wanted}`);
    }
    const y = labelFile(folder, 'y.npy', '<i4', Int32Array.of(0, 1), [2, 1]);
    expectFailure([x, y], `${y}: its shape (2, 1) is not 1-dimensional: one label per row is wanted`);
    expectFailure([x, labelsFile(0, 1, 2)], `${y}: it has 3 labels, but ${x} has 2 rows`);
  });

  it('more classes than an int32 has', () => {
    const header = headerBytes(dictText('<f2', [1, 2 ** 31]));
    const descriptor = openSync(at('x.npy'), 'w');
    writeSync(descriptor, header);
    ftruncateSync(descriptor, header.length + 2 ** 32);
    expectFailure(
      [at('x.npy'), labelsFile(0)],
      `${at('x.npy')}: its 2147483648 classes are more than 2147483647`,
    );
  });

  it('files that are not there, or no arrays', () => {
    const [x, y] = [logitsFile([2, 3]), labelsFile(0, 1)];
    const missing = `${at('z.npy')}: it can't be read: there is no such file or directory`;
    expectFailure([at('z.npy'), y], missing);
    expectFailure([x, at('z.npy')], missing);
    expectFailure([x, y, '--labels-array', 'a'], `${y}: --labels-array needs a .npz file`);
    folder.write('y.npy', headerBytes(dictText('<i4', [2])), new Uint8Array(7));
    expectFailure([x, y], `${y}: it is cut short: it has 135 bytes of 136`);
  });
});

describe('labels and logits', () => {
  const outside = (row: number, label: string, ignored = -100) =>
    `${at('y.npy')}: the label of row ${row}, ${label}, is neither in [0, 3) nor the ignored ${ignored}`;

  it('a label that is no class, with its row', () => {
    const x = logitsFile([4, 3]);
    expectFailure([x, labelsFile(0, 1, 3, 9)], outside(2, '3'));
    expectFailure([x, labelsFile(0, -100, -1, 2)], outside(2, '-1'));
    expectFailure([x, labelsFile(0, -100, 2, 2), '--ignore-index', '-1'], outside(1, '-100', -1));
    const y = labelFile(folder, 'y.npy', '<u8', BigUint64Array.of(0n, 2n ** 64n - 1n, 0n, 0n));
    expectFailure([x, y], outside(1, '18446744073709551615'));
  });

  it('in a later block', () => {
    const rows = 100_000;
    const labels = new Int32Array(rows);
    labels[99_999] = 7;
    expectFailure([logitsFile([rows, 3]), labelsFile(...labels)], outside(99_999, '7'));
  });

  it('rows without probabilities: how many, and the first', () => {
    const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];
    const low = -infinity;
    const message = (which: string) =>
      `${at('x.npy')}: NaN, Infinity or nothing but -Infinity is in ${which}: give such rows the ignored label, or find ` +
      'their cause';
    const rows = [0, 1, 2, nan, 1, 2, 0, infinity, 1, low, low, low];
    const x = logitsFile([4, 3], rows);
    expectFailure([x, labelsFile(0, 0, 1, 2)], message('3 rows, the first of which is row 1'));
    expectFailure(
      [x, labelsFile(0, 2, 1, 2), '--fit-temperature'],
      message('3 rows, the first of which is row 1'),
    );
    expectFailure([x, labelsFile(0, -100, -100, 2)], message('row 3'));
    // The largest is the label's.
    expectFailure([x, labelsFile(0, -100, 1, -100)], message('row 2'));
    expect(cli(['eval', x, labelsFile(0, -100, -100, -100)])).toMatchObject({ status: 0, stderr: '' });
  });

  it('no rows that count', () => {
    const x = logitsFile([2, 3]);
    expectFailure([x, labelsFile(1, 1), '--ignore-index', '1'], `${x}: all 2 labels are the ignored one`);
  });
});

describe('diagrams, archives and pipes', () => {
  it('both arrays of one archive', () => {
    const file = folder.write('x.npz', archive);
    const found = cli(['eval', file, file, '--array', 'logits', '--labels-array', 'labels', '--json']);
    expect(found).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(found.stdout).crossEntropy).toBeCloseTo((Math.log(2) + Math.log(4 / 3)) / 2, 7);
    expectFailure(
      [file, file, '--array', 'logits'],
      `${file}: it has 2 arrays: choose one with --labels-array: logits, labels`,
    );
    expectFailure([file, file], `${file}: it has 2 arrays: choose one with --array: logits, labels`);
    expectFailure(
      [file, file, '--array', 'labels', '--labels-array', 'labels'],
      `${file}[labels]: its dtype '<i8' is not supported: it must be float16, float32 or float64`,
    );
  });

  it('a diagram that is there is replaced with --force only', () => {
    const [x, y] = [logitsFile([2, 3]), labelsFile(0, 1)];
    const svg = folder.write('d.svg', Buffer.from('old'));
    expectFailure([x, y, '--diagram', svg], `${svg}: it exists: --force replaces it`);
    expectFailure([x, y, '--diagram', '-'], '-: it is not a regular file');
    expect(cli(['eval', x, y, '--diagram', svg, '--force']).status).toBe(0);
    expect(String(folder.read('d.svg'))).toMatch(/^<svg /);
  });

  it('no diagram of what fails', () => {
    expectFailure(
      [logitsFile([2, 3]), labelsFile(0, 5), '--diagram', at('d.svg')],
      `${at('y.npy')}: the label of row 1, 5, is neither in [0, 3) nor the ignored -100`,
    );
  });

  it('standard input for one of the two', () => {
    const [x, y] = [logitsFile([2, 3]), labelsFile(0, 1)];
    const { stdout } = cli(['eval', x, y]);
    for (const [words, name] of [
      [['-', y], 'x.npy'],
      [[x, '-'], 'y.npy'],
    ] as const) {
      const options = { encoding: 'utf8', env: environment(), input: folder.read(name) } as const;
      const run = spawnSync(process.execPath, [cliPath, 'eval', ...words], options);
      expect({ status: run.status, stdout: run.stdout, stderr: run.stderr }).toEqual({
        status: 0,
        stdout,
        stderr: '',
      });
    }
  });
});
