// Reading and writing parts of files: pread and pwrite, in portions between which the event loop turns, so that signals
// are heard.

import { randomBytes } from 'node:crypto';
import { openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Failure, shownName, withFile } from '../failures.js';

export interface OpenFile {
  readonly file: string;
  readonly descriptor: number;
}

/** A temporary file whose name is removed at once: whatever ends the process, nothing of it stays. */
export function openUnnamed(): OpenFile {
  const directory = tmpdir();
  const path = join(directory, `softmax-native-${randomBytes(8).toString('hex')}`);
  return withFile(directory, 'no temporary file can be made', () => {
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return { file: `a temporary file in ${directory}`, descriptor };
  });
}

/** Equally long pieces at equal distances: a block of columns. Side by side they are one range. */
export interface Pieces {
  readonly position: number;
  readonly count: number;
  readonly size: number;
  readonly distance: number;
}

/** As many bytes as there are. */
function readSome({ file, descriptor }: OpenFile, bytes: Uint8Array, position: number): number {
  let done = 0;
  while (done < bytes.length) {
    const [at, left] = [position + done, bytes.length - done];
    const count = withFile(file, "it can't be read", () => readSync(descriptor, bytes, done, left, at));
    if (count === 0) break;
    done += count;
  }
  return done;
}

function readAll(file: OpenFile, bytes: Uint8Array, position: number): void {
  if (readSome(file, bytes, position) < bytes.length)
    throw new Failure(`${shownName(file.file)}: it became shorter while it was read`);
}

export function writeAll({ file, descriptor }: OpenFile, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    const [at, left] = [position + done, bytes.length - done];
    done += withFile(file, "it can't be written", () => writeSync(descriptor, bytes, done, left, at));
  }
}

const portion = 16 * 2 ** 20;
/** Pieces that are closer to each other are read with what is between them: that is faster than a call for each. */
const nearDistance = 4096;
const spanSize = 2 ** 20;
/** So many calls for small pieces take some milliseconds. */
const callsBetweenTurns = 4096;

async function eachPortion(
  bytes: Uint8Array,
  position: number,
  access: (part: Uint8Array, at: number) => void,
) {
  for (let at = 0; at < bytes.length; at += portion) {
    access(bytes.subarray(at, at + portion), position + at);
    await turn();
  }
}

/** For lines that are near: no more than they take. Where memory is little, there are many blocks of few lines. */
const spanFor = ({ count, size, distance }: Pieces) =>
  new Uint8Array(Math.min(spanSize, (count - 1) * distance + size));

/** Lines that are near, several at a time: `access(line, count)`. */
async function eachSpan({ count, distance }: Pieces, access: (line: number, lines: number) => void) {
  const lines = Math.max(1, Math.floor(spanSize / distance));
  for (let line = 0; line < count; line += lines) {
    access(line, Math.min(lines, count - line));
    await turn();
  }
}

async function eachPiece(bytes: Uint8Array, pieces: Pieces, access: (part: Uint8Array, at: number) => void) {
  const { position, count, size, distance } = pieces;
  for (let line = 0; line < count; line++) {
    access(bytes.subarray(line * size, (line + 1) * size), position + line * distance);
    if (line % callsBetweenTurns === 0) await turn();
  }
}

const longCopy = 64;

/** `to` and `from` go on by a step after each of `count` copies of `size` bytes. */
function copyPieces(
  to: Uint8Array,
  toStep: number,
  from: Uint8Array,
  fromStep: number,
  count: number,
  size: number,
): void {
  for (let i = 0; i < count; i++) {
    const [toStart, fromStart] = [i * toStep, i * fromStep];
    if (size >= longCopy) to.set(from.subarray(fromStart, fromStart + size), toStart);
    else for (let k = 0; k < size; k++) to[toStart + k] = from[fromStart + k] as number;
  }
}

export async function readPieces(file: OpenFile, bytes: Uint8Array, pieces: Pieces): Promise<void> {
  const { position, size, distance } = pieces;
  const read = (part: Uint8Array, at: number) => readAll(file, part, at);
  if (size === distance || pieces.count === 1) return eachPortion(bytes, position, read);
  if (distance > nearDistance) return eachPiece(bytes, pieces, read);
  const span = spanFor(pieces);
  return eachSpan(pieces, (line, lines) => {
    const used = span.subarray(0, (lines - 1) * distance + size);
    readAll(file, used, position + line * distance);
    copyPieces(bytes.subarray(line * size), size, used, distance, lines, size);
  });
}

export async function writePieces(file: OpenFile, bytes: Uint8Array, pieces: Pieces): Promise<void> {
  const { position, size, distance } = pieces;
  const write = (part: Uint8Array, at: number) => writeAll(file, part, at);
  if (size === distance || pieces.count === 1) return eachPortion(bytes, position, write);
  if (distance > nearDistance) return eachPiece(bytes, pieces, write);
  const span = spanFor(pieces);
  return eachSpan(pieces, (line, lines) => {
    // Between the pieces are others that were written before, or nothing yet.
    const used = span.subarray(0, (lines - 1) * distance + size);
    used.fill(0, readSome(file, used, position + line * distance));
    copyPieces(used, distance, bytes.subarray(line * size), size, lines, size);
    writeAll(file, used, position + line * distance);
  });
}
