// Memory for a block of the array: filled from the input file, written to the output file, elements in this machine's
// byte order in between.

import { endianness } from 'node:os';
import { Failure } from './failures.js';
import { readPieces, writePieces } from './pieces.js';
import { type ElementArray, elementArray, type Part, piecesOf, type Task } from './task.js';

export function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new Failure(`there is no memory for a block of ${bytes} bytes: give less by --memory`, { cause });
  }
}

const isBigEndianMachine = endianness() === 'BE';

export class Block {
  readonly #task: Task;
  readonly #memory: ArrayBuffer;

  /** For at most so many elements. */
  constructor(task: Task, capacity: number) {
    this.#task = task;
    this.#memory = allocate(capacity * task.header.elementSize);
  }

  async read(part: Part): Promise<ElementArray> {
    const { header, input } = this.#task;
    const bytes = this.#bytes(part);
    await readPieces(input, bytes, piecesOf(this.#task, part));
    this.#swap(bytes);
    return elementArray(header.elementType, this.#memory, bytes.length / header.elementSize);
  }

  async write(part: Part): Promise<void> {
    const bytes = this.#bytes(part);
    this.#swap(bytes);
    await writePieces(this.#task.output, bytes, piecesOf(this.#task, part));
  }

  #bytes({ lines, columns }: Part): Buffer {
    return Buffer.from(this.#memory, 0, lines * columns * this.#task.header.elementSize);
  }

  #swap(bytes: Buffer): void {
    const { isBigEndian, elementSize } = this.#task.header;
    if (isBigEndian === isBigEndianMachine) return;
    if (elementSize === 2) bytes.swap16();
    else if (elementSize === 4) bytes.swap32();
    else bytes.swap64();
  }
}
