// One call of an operation: its rows go through the module's memory in blocks.

import { bufferOf, byteLengthOf, byteOffsetOf } from '../../typed-arrays.js';
import type { Elements, RowMask, ScaledRows } from '../kernels.js';
import { BlockArray, eachBlock, layoutOf } from './blocks.js';
import { aligned, type Instance } from './instance.js';
import { Count, type OperationEntry } from './operations.js';

/** Of all arrays of a block of rows of the last axis: what a second-level cache holds. */
const blockBytes = 2 ** 18;
/** Of other axes, whose rows are copied together: a block of columns is many small copies. */
const acrossBytes = 2 ** 24;
/** What has to be in memory at once, a row with all that belongs to it, may take so much; JavaScript takes the others. */
const mostBytes = 2 ** 28;

const bytesOf = (data: unknown): Uint8Array =>
  new Uint8Array(bufferOf(data), byteOffsetOf(data), byteLengthOf(data));

/** A call's arrays where they go: one per place of the operation, in its order. */
export interface Problem {
  readonly entry: OperationEntry;
  readonly arrays: readonly (Elements | undefined)[];
  readonly numbers: readonly [number, number];
  readonly rows: ScaledRows;
}

/** An output takes the place of the first input that it may replace: that saves memory, and the bits are the same. */
function placeOver(arrays: readonly (BlockArray | undefined)[], { entry, arrays: given }: Problem): number[] {
  const replaced = entry.arrays.findIndex((array, i) => array.isReplaceable && given[i] !== undefined);
  return arrays.map((array, i) => {
    const { isOutput, isOfElements, count } = entry.arrays[i] as OperationEntry['arrays'][number];
    const fits = isOutput && isOfElements && count === Count.perElement && replaced >= 0;
    return array !== undefined && fits && array.dtype === arrays[replaced]?.dtype ? replaced : i;
  });
}

/** How many rows a block may have; 0 where not even one fits. */
function rowsPerBlock({ outer, inner }: ScaledRows, rowBytes: number): number {
  const rows = Math.floor((inner === 1 ? blockBytes : acrossBytes) / (rowBytes || 1));
  return Math.min(outer * inner, rows > 0 ? rows : rowBytes <= mostBytes ? 1 : 0);
}

/** The part of a mask that a block's rows have. */
function spanOf({ offsets, step }: RowMask, row: number, count: number, length: number) {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (let r = row; r < row + count; r++) {
    const offset = offsets[r] as number;
    if (offset < first) first = offset;
    if (offset > last) last = offset;
  }
  return { first, bytes: last - first + (length - 1) * step + 1 };
}

/** An array that every block needs as a whole: one per class. */
interface Whole {
  readonly index: number;
  readonly bytes: Uint8Array;
  address: number;
}

/** The arrays of a call, as far as blocks have some of each. */
function blockArraysOf({ entry, arrays, numbers, rows }: Problem): (BlockArray | undefined)[] {
  return entry.arrays.map((array, i) => {
    const elements = arrays[i];
    if (elements === undefined || array.count === Count.perClass) return undefined;
    const { each, isAlong } = layoutOf(array, rows.length, numbers);
    return new BlockArray(elements, each, isAlong, array.isOutput);
  });
}

function wholesOf({ entry, arrays }: Problem): Whole[] {
  return entry.arrays.flatMap(({ count }, index) => {
    const elements = arrays[index];
    if (elements === undefined || count !== Count.perClass) return [];
    return [{ index, bytes: bytesOf(elements.data), address: 0 }];
  });
}

/** Computes a call; false if JavaScript has to. */
export function runInBlocks(instance: Instance, problem: Problem): boolean {
  const { entry, numbers, rows } = problem;
  const { length, inner, mask, multiplier } = rows;
  if (problem.arrays[0]?.dtype === 'float64') return false;
  const arrays = blockArraysOf(problem);
  const wholes = wholesOf(problem);
  const over = placeOver(arrays, problem);

  let rowBytes = 16; // a multiplier and the offset of a mask
  for (let i = 0; i < arrays.length; i++) if (over[i] === i) rowBytes += arrays[i]?.rowBytes ?? 0;
  const most = rowsPerBlock(rows, rowBytes);
  const elements = rows.outer * length * inner;

  let next = instance.heap;
  const take = (bytes: number): number => {
    const address = next;
    next += aligned(bytes);
    return address;
  };
  for (let i = 0; i < arrays.length; i++) {
    const array = arrays[i];
    if (array !== undefined && over[i] === i) array.address = take(array.bytesFor(most));
  }
  for (let i = 0; i < arrays.length; i++) {
    const array = arrays[i];
    if (array !== undefined) array.address = (arrays[over[i] as number] as BlockArray).address;
  }
  for (const whole of wholes) whole.address = take(whole.bytes.length);
  const multipliers = typeof multiplier === 'number' ? 0 : take(8 * most);
  const offsets = mask ? take(8 * most) : 0;
  const used = next - instance.heap;
  if (most === 0 || used + (mask ? byteLengthOf(mask.data) : 0) > 2 * mostBytes) return false;
  instance.reserve(used, elements);
  for (const { bytes, address } of wholes) instance.bytes.set(bytes, address);

  const readMask = (row: number, count: number): void => {
    if (!mask) return;
    const { first, bytes } = spanOf(mask, row, count, length);
    instance.reserve(used + bytes, elements);
    instance.bytes.set(bytesOf(mask.data).subarray(first, first + bytes), next);
    const own = instance.doublesAt(offsets, count);
    for (let r = 0; r < count; r++) own[r] = (mask.offsets[row + r] as number) - first;
  };
  eachBlock(rows, most, (block) => {
    const row = block.first * inner + block.column;
    const count = block.outer * block.columns;
    readMask(row, count);
    for (const array of arrays) if (array && !array.isOutput) array.read(instance, block, inner);
    if (typeof multiplier !== 'number')
      instance.doublesAt(multipliers, count).set(multiplier.subarray(row, row + count));
    instance.writeCall(entry.number, block.outer, length, block.columns, numbers[0], numbers[1]);
    const single = typeof multiplier === 'number' ? multiplier : 1;
    instance.writeOptions(mask ? next : 0, offsets, mask?.step ?? 0, multipliers, single);
    arrays.forEach((array, i) => {
      if (array) instance.writeArray(i, array.address, array.dtype);
    });
    for (const { index, address } of wholes) instance.writeArray(index, address, 1);
    instance.exports.compute();
    for (const array of arrays) if (array?.isOutput) array.write(instance, block, inner);
  });
  instance.release();
  return true;
}
