// The header of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// A reader of its own, as the packages for it on npm (npyjs, numpy-parser) want the whole file in memory, and look for
// each field by a pattern, which finds something in malformed headers too.

import { Failure, shownName } from './failures.js';
import { readDict } from './python-literal.js';

export type ElementType = 'float16' | 'float32' | 'float64';

export interface NpyHeader {
  readonly elementType: ElementType;
  readonly elementSize: number;
  readonly isBigEndian: boolean;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the data begins. */
  readonly dataOffset: number;
  /** How many bytes it has. */
  readonly dataSize: number;
}

const elementTypes: Readonly<Record<string, readonly [ElementType, number]>> = {
  f2: ['float16', 2],
  f4: ['float32', 4],
  f8: ['float64', 8],
};
const magic = Buffer.from('\x93NUMPY', 'latin1');
/** The magic, a version, and the length in two bytes or four. */
export const longestPrefix = 12;
/** NumPy itself refuses more than 10,000 unless it is told to trust the file. */
const longestText = 1 << 20;

/** Where the text of the header begins and ends, from the first bytes of the file. */
export function textRange(start: Uint8Array): readonly [number, number] {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length);
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw new Failure('it is no .npy file: it does not begin with \\x93NUMPY');
  const [major, minor] = [bytes[6], bytes[7]];
  if (major === undefined || minor === undefined) throw new Failure('it ends within its header');
  if (major < 1 || major > 3 || minor !== 0)
    throw new Failure(`its format version ${major}.${minor} is none of 1.0, 2.0, 3.0`);
  const begin = major === 1 ? 10 : 12;
  if (bytes.length < begin) throw new Failure('it ends within its header');
  const length = major === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  if (length > longestText) throw new Failure(`its header of ${length} bytes is longer than ${longestText}`);
  return [begin, begin + length];
}

/** `bytes`: all up to the end of the header's text. */
export function parseHeader(bytes: Uint8Array): NpyHeader {
  const [begin, end] = textRange(bytes);
  if (bytes.length < end) throw new Failure('it ends within its header');
  const encoding = bytes[6] === 3 ? 'utf8' : 'latin1';
  const entries = readEntries(Buffer.from(bytes.subarray(begin, end)).toString(encoding));
  const [elementType, elementSize, isBigEndian] = readDescription(entries.get('descr'));
  const isFortranOrder = entries.get('fortran_order');
  if (typeof isFortranOrder !== 'boolean') throw new Failure("its 'fortran_order' is neither True nor False");
  const shape = readShape(entries.get('shape'));
  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const dataSize = elements * elementSize;
  if (!Number.isSafeInteger(dataSize + end))
    throw new Failure(`its shape ${shownTuple(shape)} is larger than any file`);
  return { elementType, elementSize, isBigEndian, isFortranOrder, shape, dataOffset: end, dataSize };
}

function readEntries(text: string): Map<string, unknown> {
  const entries = readDict(text);
  for (const key of ['descr', 'fortran_order', 'shape'])
    if (!entries.has(key)) throw new Failure(`its header has no '${key}'`);
  for (const key of entries.keys())
    if (!['descr', 'fortran_order', 'shape'].includes(key))
      throw new Failure(`its header has an unknown key '${shownName(key.slice(0, 40))}'`);
  return entries;
}

function readDescription(description: unknown): readonly [ElementType, number, boolean] {
  const wanted = "only '<f2', '<f4', '<f8' and '>f2', '>f4', '>f8' are supported";
  if (Array.isArray(description)) throw new Failure(`its dtype is a structured one; ${wanted}`);
  if (typeof description !== 'string') throw new Failure(`its 'descr' is no string; ${wanted}`);
  const [, order, code = ''] = /^([<>])(f[248])$/.exec(description) ?? [];
  const found = elementTypes[code];
  if (found === undefined)
    throw new Failure(`its dtype '${shownName(description.slice(0, 40))}' is not supported; ${wanted}`);
  return [...found, order === '>'];
}

function readShape(shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw new Failure("its 'shape' is no tuple");
  const wrong = shape.find((size) => !(Number.isSafeInteger(size) && size >= 0));
  if (wrong === undefined) return shape.map((size) => size + 0);
  const shown = typeof wrong === 'number' ? String(wrong) : 'something else';
  throw new Failure(`its 'shape' has ${shown}, which is no size`);
}

/** As NumPy prints a shape. */
export const shownTuple = (shape: readonly number[]): string =>
  shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
