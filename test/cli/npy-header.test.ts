// Headers: what is read from good ones, and that whatever else is refused, never accepted as something it is not.

import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/cli/failures.js';
import { floats } from '../../src/cli/npy/dtypes.js';
import { type NpyHeader, parseHeader } from '../../src/cli/npy/header.js';
import { layoutOf, planOf } from '../../src/cli/rows/layout.js';
import { dictText, headerBytes } from '../helpers/npy.js';
import { Random } from '../helpers/random.js';

describe('good headers', () => {
  it('as NumPy writes them', () => {
    expect(parseHeader(headerBytes(dictText('>f8', [3, 4], true)), floats())).toEqual({
      elementType: 'float64',
      elementSize: 8,
      isBigEndian: true,
      isFortranOrder: true,
      shape: [3, 4],
      dataOffset: 128,
      dataSize: 96,
    });
  });

  it.each([
    ['any order of the keys', "{'shape': (3,), 'fortran_order': False, 'descr': '<f4'}"],
    ['double quotes', '{"descr": "<f4", "fortran_order": False, "shape": (3,), }'],
    ['the long integers of Python 2', "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }"],
    ['no spaces', "{'descr':'<f4','fortran_order':False,'shape':(3,)}"],
    ['a list', "{'descr': '<f4', 'fortran_order': False, 'shape': [3]}"],
    ["Python 2's prefix of strings", "{u'descr': u'<f4', u'fortran_order': False, u'shape': (3,)}"],
    ['a comment', "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } # {"],
    ['comments between', "{'descr': # the dtype\n '<f4', 'fortran_order': False, 'shape': (3,)}"],
    ['white space', " {'descr': '<f4', 'fortran_order': False, 'shape': (3,)} \t\f\r\n"],
  ])('with %s', (_what, text) => {
    for (const version of [1, 2, 3])
      expect(parseHeader(headerBytes(text, version), floats()).shape).toEqual([3]);
  });
});

describe('dtypes', () => {
  const read = (descr: string, isBfloat16 = false) => {
    const { elementType, elementSize, isBigEndian } = parseHeader(
      headerBytes(dictText(descr, [3])),
      floats(isBfloat16),
    );
    return [elementType, elementSize, isBigEndian];
  };

  // What np.dtype reads, too. The tests' machines are little-endian.
  it.each([
    [['<f4', '=f4', '|f4', 'f4', 'f', 'float32', 'single'], 'float32', 4, false],
    [['<f8', '=f8', 'f8', 'd', '<d', 'float64', 'double', 'float'], 'float64', 8, false],
    [['<f2', 'f2', 'e', '|e', 'float16', 'half'], 'float16', 2, false],
    [['>f4', '>f'], 'float32', 4, true],
    [['>f8'], 'float64', 8, true],
    [['>f2', '>e'], 'float16', 2, true],
  ] as const)('%j', (descrs, ...expected) => {
    for (const descr of descrs) expect(read(descr), descr).toEqual(expected);
  });

  it('V2 is bfloat16 if one says so', () => {
    for (const descr of ['<V2', '|V2', 'V2']) expect(read(descr, true)).toEqual(['bfloat16', 2, false]);
    const ask = "its dtype '<V2' is two bytes of anything: if they are bfloat16, give --dtype bfloat16";
    expect(() => read('<V2')).toThrow(new Failure(ask));
    const wrong = "its dtype '<f4' is float32, not bfloat16: leave out --dtype";
    expect(() => read('<f4', true)).toThrow(new Failure(wrong));
  });
});

const texts = [
  dictText('<f4', [3, 4]),
  dictText('>f8', [12], true),
  dictText('<f2', [2, 0, 6]),
  dictText('<f4', []),
];
const originals = texts.map((text, i) => headerBytes(text, (i % 3) + 1));

/** A word of the dict in the place of another, in a header of the right length. */
function reworded(text: string, random: Random): Buffer {
  const words = text.match(/\w+|'[^']*'|\S|\s+/g) as string[];
  const others = [
    '-1',
    '-0',
    '1.5',
    '7L',
    '1e3',
    '9007199254740993',
    '9'.repeat(400),
    'None',
    'True',
    'nan',
    '()',
    '',
  ];
  for (let i = random.integer(2); i >= 0; i--) {
    const choices = random.integer(2) === 0 ? words : others;
    words[random.integer(words.length)] = choices[random.integer(choices.length)] as string;
  }
  return headerBytes(words.join(''), random.integer(3) + 1);
}

/** A few bytes changed, taken out, put in or doubled. */
function mutated(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  const alphabet = `'"(){}[],:<>=|0123456789-+.eLfTrueFalsdcscrop \n\\\x00\xff`;
  for (let i = random.integer(3); i >= 0; i--) {
    const at = random.integer(result.length + 1);
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    const some = Buffer.from(alphabet[random.integer(alphabet.length)] as string, 'latin1');
    const parts = [
      [before, some, after.subarray(1)],
      [before, after.subarray(1 + random.integer(8))],
      [before, some, after],
      [before, before.subarray(-random.integer(20) - 1), after],
      [before],
      [before, Buffer.from([random.integer(256)]), after.subarray(1)],
    ][random.integer(6)] as Buffer[];
    result = Buffer.concat(parts);
  }
  return result;
}

/** What a header may say at most. */
function expectSound({ elementSize, isBigEndian, isFortranOrder, shape, ...rest }: NpyHeader): void {
  expect([2, 4, 8]).toContain(elementSize);
  expect([typeof isBigEndian, typeof isFortranOrder]).toEqual(['boolean', 'boolean']);
  expect(shape.every((size) => Number.isSafeInteger(size) && size >= 0)).toBe(true);
  const product = shape.includes(0) ? 0 : shape.reduce((all, size) => all * size, 1);
  expect(rest.dataSize).toBe(product * elementSize);
  expect(Number.isSafeInteger(rest.dataOffset + rest.dataSize)).toBe(true);
}

it('20,000 mutated headers are read or refused in one line', () => {
  const random = new Random(20261128);
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const which = i % texts.length;
    const isReworded = random.integer(2) === 0;
    const bytes = isReworded
      ? reworded(texts[which] as string, random)
      : mutated(originals[which] as Buffer, random);
    try {
      expectSound(parseHeader(bytes, floats()));
    } catch (error) {
      if (!(error instanceof Failure))
        throw new Error(`${JSON.stringify(bytes.toString('latin1'))}`, { cause: error });
      expect(error.message).toMatch(/^[^\p{C}]{10,250}$/u);
      refused++;
    }
  }
  // Some change what may be anything, as white space and sizes.
  expect(refused).toBeGreaterThan(10_000);
  expect(refused).toBeLessThan(20_000);
});

it('what is nested without end is refused', () => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${'('.repeat(50_000)}`;
  expect(() => parseHeader(headerBytes(text, 2), floats())).toThrow(Failure);
});

describe('plans', () => {
  const plan = (shape: number[], axis: number, memory: number, isFortranOrder = false) => {
    const header = { shape, isFortranOrder } as unknown as NpyHeader;
    return planOf(layoutOf(header, axis), 4, memory);
  };

  it('whole slices while they fit, then columns, then parts of rows', () => {
    expect(plan([64, 1000], 1, 16_000)).toEqual({ kind: 'slices', slices: 4 });
    expect(plan([64, 1000], 0, 16_000)).toEqual({ kind: 'columns', columns: 62 });
    expect(plan([64, 1000], 0, 256_000)).toEqual({ kind: 'slices', slices: 1 });
    expect(plan([64, 1000], 1, 4000)).toEqual({ kind: 'slices', slices: 1 });
    expect(plan([64, 1000], 1, 3999)).toEqual({ kind: 'long rows', columns: 1, lines: 166 });
  });

  it('in Fortran order the mirrored axis', () => {
    for (const axis of [0, 1])
      expect(plan([64, 1000], axis, 16_000, true)).toEqual(plan([1000, 64], 1 - axis, 16_000));
  });

  it('blocks of long rows and what is kept of them stay within the memory', () => {
    for (const length of [1e5, 1e7, 1e9])
      for (const inner of [1, 100, 1e6]) {
        const memory = 1e5;
        const found = plan([length, inner], 0, memory);
        if (found.kind !== 'long rows') throw new Error(found.kind);
        const { columns, lines } = found;
        expect(columns * lines * 12).toBeLessThanOrEqual(memory / 2);
        if (columns > 1)
          expect(Math.ceil(length / lines) * columns * 16).toBeLessThanOrEqual(memory / 2 + 16 * columns);
      }
  });
});
