// The array that is read: a .npy file, an array of a .npz archive, or standard input. Its header is understood, and its size
// is what the header says.

import { closeSync, constants, createReadStream, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { Failure, failureOf, ofFile, shownName, withFile } from '../failures.js';
import type { Dtypes, ElementType } from '../npy/dtypes.js';
import { isZip, longestPrefix, type NpyHeader, parseHeader, textRange } from '../npy/header.js';
import { openMember } from '../npy/npz.js';
import { type OpenFile, openUnnamed, writeAll } from './pieces.js';

export interface InputFile<Type extends string = ElementType> extends OpenFile {
  readonly header: NpyHeader<Type>;
  /** The bytes before the data. */
  readonly headerBytes: Uint8Array;
}

export interface Choice<Type extends string = ElementType> {
  /** Of a .npz archive. */
  readonly array: string | undefined;
  /** What chooses it. */
  readonly option: '--array' | '--labels-array';
  readonly dtypes: Dtypes<Type>;
}

const unreadable = "it can't be read";

/**
 * Standard input, and what else is read once from its start to its end: nothing is to be written beside it. /dev/shm has
 * files.
 */
export const isStream = (file: string): boolean =>
  file === '-' || /^\/(?:dev\/(?!shm\/)|proc\/)/.test(resolve(file));

/** As many bytes as there are, at most `length`. */
function readStart(descriptor: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function readHeader<Type extends string>(descriptor: number, dtypes: Dtypes<Type>) {
  const [, end] = textRange(readStart(descriptor, longestPrefix));
  const headerBytes = readStart(descriptor, end);
  const header = parseHeader(headerBytes, dtypes);
  const expected = header.dataOffset + header.dataSize;
  const { size } = fstatSync(descriptor);
  if (size < expected) throw new Failure(`it is cut short: it has ${size} bytes of ${expected}`);
  if (size > expected) throw new Failure(`it has ${size - expected} bytes after its data`);
  return { header, headerBytes };
}

/** How long a file is that begins with these bytes; Infinity while that is not known. */
function expectedSize(descriptor: number, size: number, dtypes: Dtypes<string>): number {
  if (size < longestPrefix) return Number.POSITIVE_INFINITY;
  const [, end] = textRange(readStart(descriptor, longestPrefix));
  if (size < end) return Number.POSITIVE_INFINITY;
  const header = parseHeader(readStart(descriptor, end), dtypes);
  return header.dataOffset + header.dataSize;
}

/** Into a temporary file, whose parts can be read in any order. */
async function spool<Type extends string>(
  source: AsyncIterable<Uint8Array>,
  file: string,
  { dtypes }: Choice<Type>,
): Promise<InputFile<Type>> {
  const copy = openUnnamed();
  try {
    let [size, most] = [0, Number.POSITIVE_INFINITY];
    for await (const chunk of source) {
      writeAll(copy, chunk, size);
      size += chunk.length;
      // What is not an array is refused at its start: it may have no end.
      if (most === Number.POSITIVE_INFINITY)
        most = ofFile(file, () => expectedSize(copy.descriptor, size, dtypes));
      if (size > most) throw new Failure(`${shownName(file)}: it has bytes after its data`);
    }
    return {
      file,
      descriptor: copy.descriptor,
      ...ofFile(file, () => readHeader(copy.descriptor, dtypes)),
    };
  } catch (error) {
    closeSync(copy.descriptor);
    throw failureOf(file, unreadable, error);
  }
}

async function openStream<Type extends string>(file: string, choice: Choice<Type>): Promise<InputFile<Type>> {
  if (choice.array !== undefined) throw new Failure(`${choice.option} needs a .npz file, not a pipe`);
  if (file !== '-') return spool(createReadStream(file), file, choice);
  if (isatty(0)) throw new Failure("standard input is a terminal: give '-' a file, as in 'apply - < x.npy'");
  const place = 'standard input';
  if (fstatSync(0).isDirectory()) throw new Failure(`${place}: it is a directory`);
  return spool(process.stdin, place, choice);
}

async function openArray<Type extends string>(
  descriptor: number,
  file: string,
  choice: Choice<Type>,
): Promise<InputFile<Type>> {
  if (isZip(readStart(descriptor, longestPrefix))) {
    const { place, contents } = await openMember(descriptor, file, choice);
    return spool(contents, place, choice);
  }
  if (choice.array !== undefined) throw new Failure(`${shownName(file)}: ${choice.option} needs a .npz file`);
  return { file, descriptor, ...ofFile(file, () => readHeader(descriptor, choice.dtypes)) };
}

export async function openInput<Type extends string>(
  file: string,
  choice: Choice<Type>,
): Promise<InputFile<Type>> {
  if (isStream(file)) return openStream(file, choice);
  const descriptor = withFile(file, unreadable, () => {
    const status = statSync(file);
    if (status.isDirectory()) throw new Failure(`${shownName(file)}: it is a directory`);
    if (!status.isFile())
      throw new Failure(`${shownName(file)}: it is not a regular file: read it with 'apply - <'`);
    return openSync(file, constants.O_RDONLY);
  });
  let input: InputFile<Type> | undefined;
  try {
    input = await openArray(descriptor, file, choice);
    return input;
  } catch (error) {
    throw failureOf(file, unreadable, error);
  } finally {
    if (input?.descriptor !== descriptor) closeSync(descriptor);
  }
}
