// `apply` gives the bits of one call over the whole array: any dtype, axis, order and memory.

import { logSoftmax, softmax } from 'softmax-native';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import {
  type Code,
  cli,
  cliRuns,
  dataBytes,
  dictText,
  Folder,
  headerBytes,
  type Values,
} from '../helpers/npy.js';
import { Random } from '../helpers/random.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

const dtypes = { f2: 'float16', V2: 'bfloat16', f4: 'float32', f8: 'float64' } as const;
const random = new Random(20261125);

function valuesOf(code: Code, length: number): Values {
  const values = random.normals(length, 3);
  if (code === 'f4') return values;
  if (code === 'f8') return Float64Array.from(values, (value) => value + random.uniform(0, 1e-9));
  return Uint16Array.from(values, halfFormats[dtypes[code]].fromNumber);
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** The public function over the whole array; Fortran order is the mirrored shape in row-major order. */
function expected(
  values: Values,
  code: Code,
  shape: readonly number[],
  axis: number,
  isFortran: boolean,
  isLog = false,
  temperature = 1,
): Values {
  const fromFirst = axis < 0 ? axis + shape.length : axis;
  const options = {
    shape: isFortran ? shape.toReversed() : shape,
    axis: isFortran ? shape.length - 1 - fromFirst : fromFirst,
    dtype: dtypes[code],
    temperature,
  };
  return (isLog ? logSoftmax : softmax)(values as Float32Array, options) as Values;
}

interface Trial {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly axis?: number;
  readonly isFortran?: boolean;
  readonly version?: number;
  readonly words?: readonly string[];
  readonly isLog?: boolean;
  readonly temperature?: number;
}

/** Runs them and compares the whole files, header included. */
function check(trials: readonly Trial[]): void {
  const written = trials.map(({ descr, shape, axis = -1, isFortran = false, version = 1, ...rest }, i) => {
    const { words = [], isLog = false, temperature = 1 } = rest;
    const code = descr.slice(1) as Code;
    const values = valuesOf(code, sizeOf(shape));
    const header = headerBytes(dictText(descr, shape, isFortran), version);
    const file = folder.write(`x${i}.npy`, header, dataBytes(descr, values));
    const result = expected(values, code, shape, axis, isFortran, isLog, temperature);
    const name = isLog ? 'log-softmax' : 'softmax';
    const options = ['--function', name, '--axis', `${axis}`, '--temperature', `${temperature}`, ...words];
    return {
      run: ['apply', file, ...options],
      names: [`x${i}.npy`, `x${i}.${name}.npy`],
      bytes: Buffer.concat([header, dataBytes(descr, result)]),
      label: JSON.stringify({ descr, shape, axis, isFortran, words }),
    };
  });
  const outcomes = cliRuns(written.map(({ run }) => run));
  expect(folder.names()).toEqual(written.flatMap(({ names }) => names).sort());
  written.forEach(({ names, bytes, label }, i) => {
    expect(outcomes[i], label).toMatchObject({ status: 0, stderr: '' });
    expect(folder.read(names[1] as string).equals(bytes), label).toBe(true);
  });
  folder.empty();
}

describe('the bits of one call', () => {
  it.each(['<f2', '<f4', '<f8', '>f2', '>f4', '>f8'])('%s, every axis, both orders', (descr) => {
    check(
      [false, true].flatMap((isFortran) =>
        [0, 1, 2, -1, -3].map((axis) => ({ descr, shape: [5, 7, 6], axis, isFortran })),
      ),
    );
  });

  // 4 KiB: a block has a few rows, or some columns of a slice, near (300 · 4 bytes) or far from each other (2100 · 2).
  it.each([
    [[200, 30], 1],
    [[200, 300], 0],
    [[100, 2100], 0],
    [[3, 200, 300], 1],
    [[2, 100, 3, 11], 1],
    [[40, 5, 5], 2],
  ])('in little memory, shape %j along axis %d', (shape, axis) => {
    check(
      ['<f2', '<f4', '<f8', '>f4'].flatMap((descr) =>
        [false, true].map((isFortran) => ({ descr, shape, axis, isFortran, words: ['--memory', '0.004'] })),
      ),
    );
  });

  it('a row that takes all the memory, to the byte', () => {
    const words = ['--memory', '0.00390625'];
    check([
      { descr: '<f4', shape: [3, 1024], words },
      { descr: '<f4', shape: [1024, 3], axis: 0, words },
    ]);
  });

  it('log-softmax and temperature', () => {
    check(
      [0.25, 3, 0, Number.POSITIVE_INFINITY].flatMap((temperature) =>
        [false, true].map((isLog) => ({ descr: '<f4', shape: [9, 50], isLog, temperature })),
      ),
    );
  });

  it('header versions 1.0, 2.0 and 3.0', () => {
    check([1, 2, 3].map((version) => ({ descr: '<f4', shape: [4, 4], version })));
  });

  it('bfloat16, in a file of two bytes of anything', () => {
    check(
      ['<V2', '|V2', '>V2'].flatMap((descr) =>
        [false, true].map((isFortran) => ({
          descr,
          shape: [5, 70],
          isFortran,
          words: ['--dtype', 'bfloat16'],
        })),
      ),
    );
  });

  it('one row, one element, one axis', () => {
    check([[1], [300], [1, 1, 1], [1, 77]].map((shape) => ({ descr: '<f8', shape })));
  });
});

describe('files', () => {
  const write = (name = 'x.npy') =>
    folder.write(name, headerBytes(dictText('<f4', [2, 2])), dataBytes('<f4', new Float32Array(4)));
  const halves = Buffer.concat([
    headerBytes(dictText('<f4', [2, 2])),
    dataBytes('<f4', new Float32Array(4).fill(0.5)),
  ]);

  it('empty arrays come out empty', () => {
    for (const shape of [[0], [3, 0], [0, 3], [2, 0, 3]]) {
      const header = headerBytes(dictText('<f4', shape));
      const file = folder.write('x.npy', header);
      const outputs = shape.map((_, axis) => folder.at(`${axis}.npy`));
      const outcomes = cliRuns(
        outputs.map((output, axis) => ['apply', file, '--axis', `${axis}`, '--output', output]),
      );
      outputs.forEach((_, axis) => {
        expect(outcomes[axis]).toMatchObject({ status: 0, stderr: '' });
        expect(folder.read(`${axis}.npy`).equals(header)).toBe(true);
      });
      folder.empty();
    }
  });

  it('replaces with --force, the file itself too', () => {
    write();
    folder.write('y.npy', Buffer.from('old'));
    expect(cli(['apply', folder.at('x.npy'), '--output', folder.at('y.npy'), '--force']).status).toBe(0);
    expect(folder.read('y.npy').equals(halves)).toBe(true);
    expect(cli(['apply', folder.at('x.npy'), '--output', folder.at('x.npy'), '--force']).status).toBe(0);
    expect(folder.read('x.npy').equals(halves)).toBe(true);
    expect(folder.names()).toEqual(['x.npy', 'y.npy']);
  });

  it('says what it wrote, or nothing', () => {
    write();
    const outcome = cli(['apply', folder.at('x.npy')]);
    expect(outcome.stdout).toBe(`${folder.at('x.softmax.npy')}: softmax along axis -1 of float32 (2, 2)\n`);
    expect(outcome.stderr).toBe('');
    expect(cli(['apply', folder.at('x.npy'), '--quiet', '--force']).stdout).toBe('');
  });

  it('a name may be as long as names are', () => {
    write();
    const name = `${'y'.repeat(251)}.npy`;
    expect(cli(['apply', folder.at('x.npy'), '--output', folder.at(name)]).status).toBe(0);
    expect(folder.names()).toEqual(['x.npy', name]);
  });

  it('a name without .npy gets one', () => {
    write('x.data');
    expect(cli(['apply', folder.at('x.data')]).status).toBe(0);
    expect(folder.names()).toEqual(['x.data', 'x.data.softmax.npy']);
  });
});
