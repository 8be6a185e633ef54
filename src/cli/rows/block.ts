// Blocks of the array: read from the input, computed, written to the output. Rows that fit in the memory are computed
// whole, each block in a call of this library. Its bits do not depend on what else is in a call, so they are those of one
// call over the whole array.

import type * as Api from 'softmax-native';
import { Failure } from '../failures.js';
import { type OpenFile, type Pieces, readPieces, writePieces } from '../files/pieces.js';
import { type ElementType, swapBytes } from '../npy/dtypes.js';
import type { NpyHeader } from '../npy/header.js';
import type { Layout } from './layout.js';

export type FunctionName = 'softmax' | 'log-softmax';
export type Softmax = typeof Api;

/** What `apply` is asked to do. */
export interface Task {
  readonly api: Softmax;
  readonly functionName: FunctionName;
  readonly temperature: number;
  readonly header: NpyHeader;
  readonly layout: Layout;
  readonly input: OpenFile;
  readonly output: OpenFile;
  /** So many bytes of the data are done. */
  readonly progress: (bytes: number) => void;
}

/** A part of the data: `columns` columns from `column` on, of `lines` lines from `line` on. */
export interface Part {
  readonly line: number;
  readonly lines: number;
  readonly column: number;
  readonly columns: number;
}

export type ElementArray = Float32Array | Float64Array | Uint16Array;

export function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new Failure(`there is no memory for a block of ${bytes} bytes: give a smaller --memory`, { cause });
  }
}

/** 16-bit elements as their bits, which every version of Node.js has an array for. */
function elementArray(type: ElementType, memory: ArrayBuffer, length: number): ElementArray {
  if (type === 'float32') return new Float32Array(memory, 0, length);
  if (type === 'float64') return new Float64Array(memory, 0, length);
  return new Uint16Array(memory, 0, length);
}

/** Memory for a block: elements in this machine's byte order between reading and writing. */
export class Block {
  readonly #task: Pick<Task, 'header' | 'layout' | 'input'>;
  readonly #memory: ArrayBuffer;

  /** For at most so many elements. */
  constructor(task: Pick<Task, 'header' | 'layout' | 'input'>, capacity: number) {
    this.#task = task;
    this.#memory = allocate(capacity * task.header.elementSize);
  }

  async read(part: Part): Promise<ElementArray> {
    const { header, input } = this.#task;
    const bytes = this.#bytes(part);
    await readPieces(input, bytes, this.#pieces(part));
    swapBytes(bytes, header);
    return elementArray(header.elementType, this.#memory, bytes.length / header.elementSize);
  }

  async write(part: Part, output: OpenFile): Promise<void> {
    const bytes = this.#bytes(part);
    swapBytes(bytes, this.#task.header);
    await writePieces(output, bytes, this.#pieces(part));
  }

  /** Where a part is in either file. Lines are those of all slices, one after another. */
  #pieces({ line, lines, column, columns }: Part): Pieces {
    const { header, layout } = this.#task;
    const { dataOffset, elementSize } = header;
    return {
      position: dataOffset + (line * layout.inner + column) * elementSize,
      count: lines,
      size: columns * elementSize,
      distance: layout.inner * elementSize,
    };
  }

  #bytes({ lines, columns }: Part): Buffer {
    return Buffer.from(this.#memory, 0, lines * columns * this.#task.header.elementSize);
  }
}

/** `lines` consists of whole rows' lines. */
async function computePart(task: Task, block: Block, part: Part): Promise<void> {
  const { api, functionName, temperature, header, layout } = task;
  const elements = await block.read(part);
  const compute = functionName === 'softmax' ? api.softmax : api.logSoftmax;
  compute(elements, {
    shape: [part.lines / layout.length, layout.length, part.columns],
    axis: 1,
    temperature,
    dtype: header.elementType,
    out: elements,
  });
  await block.write(part, task.output);
  task.progress(part.lines * part.columns * header.elementSize);
}

/** So many slices at a time. */
export async function computeSlices(task: Task, slices: number): Promise<void> {
  const { outer, length, inner } = task.layout;
  const block = new Block(task, Math.min(slices, outer) * length * inner);
  for (let slice = 0; slice < outer; slice += slices) {
    const lines = Math.min(slices, outer - slice) * length;
    await computePart(task, block, { line: slice * length, lines, column: 0, columns: inner });
  }
}

/** So many columns of a slice at a time. */
export async function computeColumns(task: Task, columns: number): Promise<void> {
  const { outer, length, inner } = task.layout;
  const block = new Block(task, columns * length);
  for (let slice = 0; slice < outer; slice++)
    for (let column = 0; column < inner; column += columns) {
      const width = Math.min(columns, inner - column);
      await computePart(task, block, { line: slice * length, lines: length, column, columns: width });
    }
}
