// One call of an operation: its rows go through the module's memory in blocks.

import { bufferOf, byteLengthOf, byteOffsetOf } from '../../typed-arrays.js';
import type { Elements, RowMask, ScaledRows } from '../kernels.js';
import { type Block, BlockArray, eachBlock, layoutOf } from './blocks.js';
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

/** Computes a call; false if JavaScript has to. */
export function runInBlocks(instance: Instance, problem: Problem): boolean {
  const { entry, numbers, rows } = problem;
  const { length, inner, mask, multiplier } = rows;
  if (problem.arrays[0]?.dtype === 'float64') return false;
  let rowBytes = 24; // multipliers, offsets of masks
  let wholeBytes = 0;
  const wholes: { index: number; bytes: Uint8Array; address: number }[] = [];
  const arrays = problem.arrays.map((elements, i) => {
    const array = entry.arrays[i] as OperationEntry['arrays'][number];
    if (elements === undefined) return undefined;
    if (array.count === Count.perClass) {
      const bytes = bytesOf(elements.data);
      wholes.push({ index: i, bytes, address: 0 });
      wholeBytes += aligned(bytes.length);
      return undefined;
    }
    const { each, isAlong } = layoutOf(array, length, numbers);
    const block = new BlockArray(elements, each, isAlong, array.isOutput);
    rowBytes += block.rowBytes;
    return block;
  });
  const most = rowsPerBlock(rows, rowBytes);
  const maskBytes = mask ? aligned(byteLengthOf(mask.data)) : 0;
  const total = most * rowBytes + wholeBytes + maskBytes + 2048;
  if (most === 0 || total > 2 * mostBytes) return false;
  instance.reserve(total, rows.outer * length * inner);

  let next = instance.heap;
  const take = (bytes: number): number => {
    const address = next;
    next += aligned(bytes);
    return address;
  };
  const over = placeOver(arrays, problem);
  arrays.forEach((array, i) => {
    if (array !== undefined && over[i] === i) array.address = take(array.bytesFor(most));
  });
  arrays.forEach((array, i) => {
    if (array !== undefined && over[i] !== i)
      array.address = (arrays[over[i] as number] as BlockArray).address;
  });
  for (const whole of wholes) {
    whole.address = take(whole.bytes.length);
    instance.bytes.set(whole.bytes, whole.address);
  }
  const multipliers = typeof multiplier === 'number' ? 0 : take(8 * most);
  const offsets = mask ? take(8 * most) : 0;
  const maskAt = mask ? take(maskBytes) : 0;

  const writeRows = (block: Block): void => {
    const row = block.first * inner + block.column;
    const count = block.outer * block.columns;
    if (typeof multiplier !== 'number')
      instance.doublesAt(multipliers, count).set(multiplier.subarray(row, row + count));
    if (mask) {
      const { first, bytes } = spanOf(mask, row, count, length);
      instance.bytes.set(bytesOf(mask.data).subarray(first, first + bytes), maskAt);
      const own = instance.doublesAt(offsets, count);
      for (let r = 0; r < count; r++) own[r] = (mask.offsets[row + r] as number) - first;
    }
    instance.writeCall(entry.number, block.outer, length, block.columns, numbers[0], numbers[1]);
    instance.writeOptions(
      maskAt,
      offsets,
      mask?.step ?? 0,
      multipliers,
      typeof multiplier === 'number' ? multiplier : 1,
    );
    arrays.forEach((array, i) => {
      if (array) instance.writeArray(i, array.address, array.dtype);
    });
    for (const { index, address } of wholes) instance.writeArray(index, address, 1);
  };
  eachBlock(rows, most, (block) => {
    for (const array of arrays) if (array && !array.isOutput) array.read(instance, block, inner);
    writeRows(block);
    instance.exports.compute();
    for (const array of arrays) if (array?.isOutput) array.write(instance, block, inner);
  });
  instance.release();
  return true;
}
