// The .npy file that is read: opened, its header understood, its size as the header says.

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { Failure, ofFile, shownName, withFile } from './failures.js';
import { longestPrefix, type NpyHeader, parseHeader, textRange } from './npy-header.js';

export interface InputFile {
  readonly file: string;
  readonly descriptor: number;
  readonly header: NpyHeader;
  /** The bytes before the data. */
  readonly headerBytes: Uint8Array;
}

/** As many bytes as there are, at most `length`. */
function readStart(descriptor: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function readHeader(descriptor: number): { header: NpyHeader; headerBytes: Uint8Array } {
  const [, end] = textRange(readStart(descriptor, longestPrefix));
  const headerBytes = readStart(descriptor, end);
  const header = parseHeader(headerBytes);
  const expected = header.dataOffset + header.dataSize;
  const { size } = fstatSync(descriptor);
  if (size < expected)
    throw new Failure(`it is cut off: its header stands for ${expected} bytes, it has ${size}`);
  if (size > expected)
    throw new Failure(`it has ${size - expected} bytes after the data that its header stands for`);
  return { header, headerBytes };
}

export function openInput(file: string): InputFile {
  return withFile(file, "it can't be read", () => {
    const status = statSync(file);
    if (status.isDirectory()) throw new Failure(`${shownName(file)}: it is a directory`);
    if (!status.isFile()) throw new Failure(`${shownName(file)}: it is no regular file`);
    const descriptor = openSync(file, constants.O_RDONLY);
    try {
      return { file, descriptor, ...ofFile(file, () => readHeader(descriptor)) };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  });
}
