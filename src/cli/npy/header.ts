// The header of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// A reader of its own: the packages on npm (npyjs, numpy-parser) want the whole file in memory, and find each field by a
// pattern, which matches in malformed headers too.

import { endianness } from 'node:os';
import { Failure, shownName } from '../failures.js';
import { foreignFormat } from './formats.js';
import { readDict } from './python-literal.js';

export type ElementType = 'float16' | 'bfloat16' | 'float32' | 'float64';

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

const elementSizes: Readonly<Record<ElementType, number>> = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};
/** Of np.dtype's names for them. V2 is how a bfloat16 of ml_dtypes is saved: two bytes of anything. */
const elementTypes = new Map<string, ElementType>([
  ...['f2', 'e', 'half', 'float16'].map((name) => [name, 'float16'] as const),
  ...['f4', 'f', 'single', 'float32'].map((name) => [name, 'float32'] as const),
  ...['f8', 'd', 'double', 'float', 'float64'].map((name) => [name, 'float64'] as const),
  ['V2', 'bfloat16'],
]);
export const isBigEndianMachine = endianness() === 'BE';

const magic = Buffer.from('\x93NUMPY', 'latin1');
/** The magic, a version, and the length in two bytes or four. */
export const longestPrefix = 12;
/** NumPy itself refuses more than 10,000 unless it is told to trust the file. */
const longestText = 1 << 20;

const startsWith = (bytes: Buffer, text: string): boolean =>
  bytes.subarray(0, text.length).equals(Buffer.from(text, 'latin1'));

/** A .npz archive is a zip file; an empty one has only the end. */
export const isZip = (start: Buffer): boolean =>
  startsWith(start, 'PK\x03\x04') || startsWith(start, 'PK\x05\x06');

function requireMagic(start: Buffer): void {
  if (start.length === 0) throw new Failure('it is empty');
  if (isZip(start)) throw new Failure('it is a .npz archive: give it as a file, not through a pipe');
  if (start.subarray(0, magic.length).equals(magic)) return;
  const format = foreignFormat(start);
  throw new Failure(format ?? 'it is not a .npy file: it does not start with \\x93NUMPY');
}

/** Where the text of the header begins and ends, from the first bytes of the file. */
export function textRange(start: Buffer): readonly [number, number] {
  requireMagic(start);
  const [major, minor] = [start[6], start[7]];
  if (major === undefined || minor === undefined) throw new Failure('its header is cut short');
  if (major < 1 || major > 3 || minor !== 0)
    throw new Failure(`its format version ${major}.${minor} is not supported: only 1.0, 2.0 and 3.0 are`);
  const begin = major === 1 ? 10 : 12;
  if (start.length < begin) throw new Failure('its header is cut short');
  const length = major === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (length > longestText)
    throw new Failure(`its header has ${length} bytes: at most ${longestText} are supported`);
  return [begin, begin + length];
}

/** `bytes`: all up to the end of the header's text. `isBfloat16`: what V2, two bytes of anything, stands for. */
export function parseHeader(bytes: Buffer, isBfloat16 = false): NpyHeader {
  const [begin, end] = textRange(bytes);
  if (bytes.length < end) throw new Failure('its header is cut short');
  const encoding = bytes[6] === 3 ? 'utf8' : 'latin1';
  const entries = readEntries(bytes.subarray(begin, end).toString(encoding));
  const [elementType, isBigEndian] = readDescription(entries.get('descr'), isBfloat16);
  const elementSize = elementSizes[elementType];
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

function readDescription(description: unknown, isBfloat16: boolean): readonly [ElementType, boolean] {
  const wanted = 'it must be float16, float32 or float64';
  if (Array.isArray(description)) throw new Failure(`its dtype is structured: ${wanted}`);
  if (typeof description !== 'string') throw new Failure(`its 'descr' is not a string: ${wanted}`);
  const shown = `its dtype '${shownName(description.slice(0, 40))}'`;
  // Without an order, or with '=' or '|', it is that of the machine, as for NumPy.
  const [, order, name = ''] = /^([<>=|]?)(\w+)$/.exec(description) ?? [];
  const found = elementTypes.get(name);
  if (found === undefined) throw new Failure(`${shown} is not supported: ${wanted}`);
  if (found === 'bfloat16' && !isBfloat16)
    throw new Failure(`${shown} is two bytes of anything: if they are bfloat16, give --dtype bfloat16`);
  if (found !== 'bfloat16' && isBfloat16)
    throw new Failure(`${shown} is ${found}, not bfloat16: leave out --dtype`);
  return [found, order === '>' || (order !== '<' && isBigEndianMachine)];
}

function readShape(shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw new Failure("its 'shape' is not a tuple");
  const wrong = shape.find((size) => !(Number.isSafeInteger(size) && size >= 0));
  if (wrong === undefined) return shape.map((size) => size + 0);
  const shown = typeof wrong === 'number' ? String(wrong) : 'a value';
  throw new Failure(`its 'shape' has ${shown} that is not a size`);
}

/** As NumPy prints a shape. */
export const shownTuple = (shape: readonly number[]): string =>
  shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
