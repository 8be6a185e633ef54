// How an array's rows lie in its file, and in which blocks they are read.

import { Failure } from '../failures.js';
import { type NpyHeader, shownTuple } from '../npy/header.js';

/** Row-major [outer, length, inner], with the rows along `length`. */
export interface Layout {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** In Fortran order the memory holds the transposed array in row-major order: the shape and the axis mirrored. */
export function layoutOf({ shape, isFortranOrder }: NpyHeader, axis: number): Layout {
  const count = shape.length;
  if (count === 0) throw new Failure('a 0-dimensional array has no axis');
  if (axis < -count || axis >= count)
    throw new Failure(`axis ${axis} is outside [${-count}, ${count}) for its shape ${shownTuple(shape)}`);
  const fromFirst = axis < 0 ? axis + count : axis;
  const sizes = isFortranOrder ? shape.toReversed() : shape;
  const at = isFortranOrder ? count - 1 - fromFirst : fromFirst;
  return {
    outer: product(sizes.slice(0, at)),
    length: sizes[at] as number,
    inner: product(sizes.slice(at + 1)),
  };
}

export type Plan =
  /** Whole [length, inner] slices, so many at a time. */
  | { readonly kind: 'slices'; readonly slices: number }
  /** A slice is too large: so many of its columns at a time. */
  | { readonly kind: 'columns'; readonly columns: number }
  /** A row is too large: so many lines of so many columns at a time, twice. */
  | { readonly kind: 'long rows'; readonly columns: number; readonly lines: number };

/** More at once is not faster, but would keep signals and the progress bar waiting. */
const enough = 16 * 2 ** 20;
/** A double beside each element of a long row. */
const doubleSize = 8;
/** Two doubles for each block of a long row. */
const stateSize = 16;

/** `memory`: bytes for data. */
export function planOf({ length, inner }: Layout, elementSize: number, memory: number): Plan {
  const rowSize = length * elementSize;
  if (rowSize > memory) return longRowsPlan(length, inner, elementSize, memory);
  const sliceSize = rowSize * inner;
  if (sliceSize > memory) return { kind: 'columns', columns: Math.floor(memory / rowSize) };
  return { kind: 'slices', slices: Math.max(1, Math.floor(Math.min(memory, enough) / sliceSize)) };
}

/** One half of the memory is for a block, the other for what is kept of all blocks of the same columns. */
function longRowsPlan(length: number, inner: number, elementSize: number, memory: number): Plan {
  const cost = elementSize + doubleSize;
  const half = memory / 2;
  // With w columns a block has half / (w · cost) lines, and length / lines blocks keep w · stateSize bytes each.
  const most = half / Math.sqrt(length * cost * stateSize);
  const columns = Math.max(1, Math.min(inner, Math.floor(most)));
  const block = columns === 1 ? Math.min(half, enough) : half;
  return { kind: 'long rows', columns, lines: Math.max(1, Math.floor(block / (columns * cost))) };
}
