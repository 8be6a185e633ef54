// The header of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// A reader of its own: the packages on npm (npyjs, numpy-parser) want the whole file in memory, and find each field by a
// pattern, which matches in malformed headers too.

import { Failure, shownName } from '../failures.js';
import { type Dtypes, type ElementType, readDescription } from './dtypes.js';
import { foreignFormat } from './formats.js';
import { readDict } from './python-literal.js';

export interface NpyHeader<Type extends string = ElementType> {
  readonly elementType: Type;
  readonly elementSize: number;
  readonly isBigEndian: boolean;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the data begins. */
  readonly dataOffset: number;
  /** How many bytes it has. */
  readonly dataSize: number;
}

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

/** `bytes`: all up to the end of the header's text. */
export function parseHeader<Type extends string>(bytes: Buffer, dtypes: Dtypes<Type>): NpyHeader<Type> {
  const [begin, end] = textRange(bytes);
  if (bytes.length < end) throw new Failure('its header is cut short');
  const encoding = bytes[6] === 3 ? 'utf8' : 'latin1';
  const entries = readEntries(bytes.subarray(begin, end).toString(encoding));
  const [elementType, isBigEndian] = readDescription(entries.get('descr'), dtypes);
  const elementSize = dtypes.sizes[elementType];
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
