// The elements of a layout: copied to and from row-major memory, and what of them two arguments have in common.

import { rangeError } from '../errors.js';
import {
  allocateOrThrow,
  bitsOf,
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  kindOf,
  lengthOf,
  overlap,
  rawLengthOf,
} from '../typed-arrays.js';
import type { Layout } from './layouts.js';
import { productOf } from './shapes.js';

/** Two axes of elements: how many there are along each, and how far apart. */
interface Grid {
  readonly rows: number;
  readonly rowStride: number;
  readonly columns: number;
  readonly columnStride: number;
}

/** Visits each matrix of the last two axes: where it begins in the data, and in row-major order. */
function eachMatrix(
  { shape, strides, offset }: Layout,
  visit: (begin: number, packed: number, grid: Grid) => void,
): void {
  const axes = shape.length;
  const [rows, columns] = [shape[axes - 2] ?? 1, shape[axes - 1] ?? 1];
  const [rowStride, columnStride] = [strides[axes - 2] ?? 0, strides[axes - 1] ?? 1];
  const grid: Grid = { rows, rowStride, columns, columnStride };
  const position = new Array<number>(Math.max(0, axes - 2)).fill(0);
  const matrices = productOf(shape, 0, position.length);
  for (let matrix = 0; matrix < matrices; matrix++) {
    let begin = offset;
    for (let axis = 0; axis < position.length; axis++)
      begin += (position[axis] as number) * (strides[axis] as number);
    visit(begin, matrix * rows * columns, grid);
    for (let axis = position.length - 1; axis >= 0; axis--) {
      position[axis] = (position[axis] as number) + 1;
      if ((position[axis] as number) < (shape[axis] as number)) break;
      position[axis] = 0;
    }
  }
}

type Elements = Record<number, number>;

/**
 * Copies a matrix, eight columns at once where neighbours in a row lie far apart: no more lines of the cache than it
 * keeps until the next rows need them.
 */
function copyMatrix(
  from: Elements,
  fromBegin: number,
  { rows, columns, rowStride: fromRow, columnStride: fromColumn }: Grid,
  to: Elements,
  toBegin: number,
  { rowStride: toRow, columnStride: toColumn }: Grid,
): void {
  const isNear = Math.abs(fromColumn) <= Math.abs(fromRow) && Math.abs(toColumn) <= Math.abs(toRow);
  const step = isNear ? columns : 8;
  for (let first = 0; first < columns; first += step) {
    const end = Math.min(columns, first + step);
    for (let row = 0; row < rows; row++) {
      let source = fromBegin + row * fromRow + first * fromColumn;
      let target = toBegin + row * toRow + first * toColumn;
      for (let column = first; column < end; column++) {
        to[target] = from[source] as number;
        source += fromColumn;
        target += toColumn;
      }
    }
  }
}

/** Elements that can be copied one by one as they are: 16-bit floats as their bits. */
const plain = (array: unknown) => (kindOf(array) === 'Float16Array' ? bitsOf(array) : array) as Elements;

const packedGrid = (grid: Grid): Grid => ({ ...grid, rowStride: grid.columns, columnStride: 1 });

/** Copies elements from where a layout has them to row-major memory. */
export function gather(layout: Layout, packed: unknown): void {
  const [from, to] = [plain(layout.data), plain(packed)];
  eachMatrix(layout, (begin, at, grid) => copyMatrix(from, begin, grid, to, at, packedGrid(grid)));
}

/** Writes row-major elements to where a layout has them. */
export function scatter(packed: unknown, layout: Layout): void {
  const [from, to] = [plain(packed), plain(layout.data)];
  eachMatrix(layout, (begin, at, grid) => copyMatrix(from, at, packedGrid(grid), to, begin, grid));
}

/** What has memory: an argument's array, and the layout of its elements where they were copied from there. */
export interface Held {
  readonly data: unknown;
  readonly tensor: { readonly layout: Layout | undefined } | undefined;
}

/** The caller's array. */
export const givenArrayOf = ({ data, tensor }: Held): unknown => tensor?.layout?.data ?? data;

/** The caller's array may have changed since it was read: all elements must still be there. */
export function requireReach(argument: string, { data, last }: Layout): void {
  const length = lengthOf(argument, data);
  if (length > last) return;
  const message = `${argument} needs ${last + 1} elements of its data, which has ${length} now`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}

/** Refuses a layout for a result that has two elements in one place. */
export function requireDistinct(argument: string, layout: Layout): void {
  if (isNested(layout)) return;
  const { first, last } = layout;
  const places = allocateOrThrow(last - first + 1, () => new Uint8Array(last - first + 1));
  if (!mark(layout, places, first, 1, 1, 1)) return;
  throw rangeError('ERR_SHAPE', `${argument} has several elements in one place`, { argument });
}

/** Whether each axis steps over all that those of smaller strides have: what most layouts do. */
function isNested({ shape, strides }: Layout): boolean {
  const axes = shape.map((size, axis) => ({ size, stride: Math.abs(strides[axis] as number) }));
  let reach = 0;
  for (const { size, stride } of axes.sort((a, b) => a.stride - b.stride)) {
    if (size === 1) continue;
    if (stride <= reach) return false;
    reach += (size - 1) * stride;
  }
  return true;
}

/** Marks elements in memory that begins at byte `begin`, as far as it has them. Whether one was marked as `seen` before. */
function mark(
  layout: Layout,
  memory: Uint8Array,
  begin: number,
  elementSize: number,
  as: number,
  seen: number,
): boolean {
  let isMarked = false;
  eachMatrix(layout, (first, _, { rows, rowStride, columns, columnStride }) => {
    for (let i = 0; i < rows * columns; i++) {
      const row = Math.floor(i / columns);
      const at = (first + row * rowStride + (i - row * columns) * columnStride) * elementSize - begin;
      for (let byte = Math.max(at, 0); byte < Math.min(at + elementSize, memory.length); byte++) {
        if (memory[byte] === seen) isMarked = true;
        memory[byte] = as;
      }
    }
  });
  return isMarked;
}

/** Elements with the bytes of the buffer that they lie in. */
interface Span {
  readonly layout: Layout;
  readonly elementSize: number;
  /** Of the array in the buffer. */
  readonly base: number;
  readonly begin: number;
  readonly end: number;
}

function spanOf({ data, tensor }: Held): Span {
  const length = rawLengthOf(data);
  const whole = { data, shape: [length], strides: [1], offset: 0, first: 0, last: length - 1 };
  const layout = tensor?.layout ?? whole;
  const base = byteOffsetOf(layout.data);
  const elementSize = length === 0 ? 0 : byteLengthOf(data) / length;
  const begin = base + layout.first * elementSize;
  return { layout, elementSize, base, begin, end: base + (layout.last + 1) * elementSize };
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** Whether two arguments have memory in common; 'same' where they have the same elements in the same order. */
export function overlapOf(a: Held, b: Held): 'none' | 'same' | 'partial' {
  if (a.tensor?.layout === undefined && b.tensor?.layout === undefined) return overlap(a.data, b.data);
  if (bufferOf(givenArrayOf(a)) !== bufferOf(givenArrayOf(b))) return 'none';
  const [x, y] = [spanOf(a), spanOf(b)];
  const begin = Math.max(x.begin, y.begin);
  const end = Math.min(x.end, y.end);
  if (begin >= end || x.elementSize === 0 || y.elementSize === 0) return 'none';
  const isAlike =
    x.elementSize === y.elementSize &&
    x.base + x.layout.offset * x.elementSize === y.base + y.layout.offset * y.elementSize &&
    isSame(x.layout.shape, y.layout.shape) &&
    isSame(x.layout.strides, y.layout.strides);
  if (isAlike) return 'same';
  // Columns side by side have no element in common, though all of them lie in the same stretch of memory.
  const memory = allocateOrThrow(end - begin, () => new Uint8Array(end - begin));
  mark(x.layout, memory, begin - x.base, x.elementSize, 1, 1);
  // An input may have one element in several places of its shape.
  return mark(y.layout, memory, begin - y.base, y.elementSize, 2, 1) ? 'partial' : 'none';
}

/** Refuses an output that has some but not all of an input's memory, or, unless `mayBeSame`, any of it. */
export function requireNoOverlap(
  outArgument: string,
  out: Held,
  inputArgument: string,
  input: Held,
  mayBeSame: boolean,
): void {
  const how = overlapOf(out, input);
  if (how === 'none' || (how === 'same' && mayBeSame)) return;
  const rule = mayBeSame ? 'it may be the same array or share nothing' : 'it must share nothing';
  const message = `${outArgument} overlaps ${inputArgument}; ${rule}`;
  throw rangeError('ERR_OUT_OVERLAP', message, { argument: outArgument });
}
