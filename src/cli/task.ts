// What `apply` is asked to do, as the parts that compute it see it.

import type * as Api from 'softmax-native';
import type { Layout } from './layout.js';
import type { ElementType, NpyHeader } from './npy-header.js';
import type { OpenFile, Pieces } from './pieces.js';

export type FunctionName = 'softmax' | 'log-softmax';
export type Softmax = typeof Api;

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

export type ElementArray = Float32Array | Float64Array | Uint16Array;

/** float16 as its bits, which every version of Node.js has an array for. */
export function elementArray(type: ElementType, memory: ArrayBuffer, length: number): ElementArray {
  if (type === 'float32') return new Float32Array(memory, 0, length);
  if (type === 'float64') return new Float64Array(memory, 0, length);
  return new Uint16Array(memory, 0, length);
}

/** A part of the data: `columns` columns from `column` on, of `lines` lines from `line` on. */
export interface Part {
  readonly line: number;
  readonly lines: number;
  readonly column: number;
  readonly columns: number;
}

/** Where a part is in either file. Lines are those of all slices, one after another. */
export function piecesOf({ header, layout }: Task, { line, lines, column, columns }: Part): Pieces {
  const { dataOffset, elementSize } = header;
  return {
    position: dataOffset + (line * layout.inner + column) * elementSize,
    count: lines,
    size: columns * elementSize,
    distance: layout.inner * elementSize,
  };
}
