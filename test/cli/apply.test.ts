// `apply` gives the bits of one call over the whole array: any dtype, axis, order and memory.

import { logSoftmax, softmax } from 'softmax-native';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { halfFormats } from '../../src/backends/half.js';
import { type Code, cli, dataBytes, dictText, Folder, headerBytes, type Values } from '../helpers/npy.js';
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

/** Runs it and compares the whole file, header included. */
function check({ descr, shape, axis = -1, isFortran = false, version = 1, ...rest }: Trial): void {
  const { words = [], isLog = false, temperature = 1 } = rest;
  const code = descr.slice(1) as Code;
  const values = valuesOf(code, sizeOf(shape));
  const header = headerBytes(dictText(descr, shape, isFortran), version);
  folder.write('x.npy', header, dataBytes(descr, values));
  const result = expected(values, code, shape, axis, isFortran, isLog, temperature);
  const name = isLog ? 'log-softmax' : 'softmax';
  const options = ['--function', name, '--axis', `${axis}`, '--temperature', `${temperature}`, ...words];
  const outcome = cli(['apply', folder.at('x.npy'), ...options]);
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(folder.names()).toEqual([`x.${name}.npy`, 'x.npy'].sort());
  const written = folder.read(`x.${name}.npy`);
  const label = JSON.stringify({ descr, shape, axis, isFortran, words });
  expect(written.equals(Buffer.concat([header, dataBytes(descr, result)])), label).toBe(true);
  folder.empty();
}

describe('the bits of one call', () => {
  it.each(['<f2', '<f4', '<f8', '>f2', '>f4', '>f8'])('%s, every axis, both orders', (descr) => {
    for (const isFortran of [false, true])
      for (const axis of [0, 1, 2, -1, -3]) check({ descr, shape: [5, 7, 6], axis, isFortran });
  });

  // 4 KiB: a block has a few rows, or some columns of a slice, near (300 · 4 bytes) or far from each other (3000 · 4).
  it.each([
    [[200, 30], 1],
    [[200, 300], 0],
    [[200, 3000], 0],
    [[3, 200, 300], 1],
    [[2, 100, 3, 11], 1],
    [[40, 5, 5], 2],
  ])('in little memory, shape %j along axis %d', (shape, axis) => {
    for (const descr of ['<f2', '<f4', '<f8', '>f4'])
      for (const isFortran of [false, true])
        check({ descr, shape, axis, isFortran, words: ['--memory', '0.004'] });
  });

  it('a row that takes all the memory, to the byte', () => {
    check({ descr: '<f4', shape: [3, 1024], words: ['--memory', '0.00390625'] });
    check({ descr: '<f4', shape: [1024, 3], axis: 0, words: ['--memory', '0.00390625'] });
  });

  it('log-softmax and temperature', () => {
    for (const temperature of [0.25, 3, 0, Number.POSITIVE_INFINITY])
      for (const isLog of [false, true]) check({ descr: '<f4', shape: [9, 50], isLog, temperature });
  });

  it('header versions 1.0, 2.0 and 3.0', () => {
    for (const version of [1, 2, 3]) check({ descr: '<f4', shape: [4, 4], version });
  });

  it('bfloat16, in a file of two bytes of anything', () => {
    for (const descr of ['<V2', '|V2', '>V2'])
      for (const isFortran of [false, true])
        check({ descr, shape: [5, 70], isFortran, words: ['--dtype', 'bfloat16'] });
  });

  it('one row, one element, one axis', () => {
    for (const shape of [[1], [300], [1, 1, 1], [1, 77]]) check({ descr: '<f8', shape });
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
      folder.write('x.npy', header);
      for (let axis = 0; axis < shape.length; axis++) {
        const outcome = cli(['apply', folder.at('x.npy'), '--axis', `${axis}`, '--force']);
        expect(outcome).toMatchObject({ status: 0, stderr: '' });
        expect(folder.read('x.softmax.npy').equals(header)).toBe(true);
      }
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
