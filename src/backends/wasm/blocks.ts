// Blocks of rows, between a caller's arrays and the module's memory.

import { bitsOf, bufferOf, byteLengthOf, byteOffsetOf } from '../../typed-arrays.js';
import type { Elements, ElementType, ScaledRows } from '../kernels.js';
import { settingsPerRow } from '../plain-tokens.js';
import { aligned, type Instance } from './instance.js';
import { Count, type OperationArray } from './operations.js';

/** SoftmaxDType of native/kernels/kernel-abi.h. */
const dtypeNumbers: Readonly<Record<ElementType, number>> = {
  ...{ float32: 0, float64: 1, float16: 2, bfloat16: 3 },
  int32: 4,
};
/** 16-bit elements are float32 in the module's memory. */
export const is16Bit = (dtype: ElementType): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** Rows of a block: those of `columns` columns from `column` on, of `outer` indices of the outer axis from `first` on. */
export interface Block {
  readonly first: number;
  readonly outer: number;
  readonly column: number;
  readonly columns: number;
}

/** run(block) for blocks of at most `most` rows that together are the rows of a call. */
export function eachBlock(
  { outer, inner, range }: ScaledRows,
  most: number,
  run: (block: Block) => void,
): void {
  const end = range?.end ?? outer * inner;
  let row = range?.begin ?? 0;
  while (row < end) {
    const first = Math.floor(row / inner);
    const column = row - first * inner;
    const whole = column === 0 ? Math.floor(Math.min(end - row, most) / inner) : 0;
    const columns = whole > 0 ? inner : Math.min(inner - column, end - row, most);
    run({ first, outer: Math.max(1, whole), column, columns });
    row += Math.max(1, whole) * columns;
  }
}

const copy = Uint8Array.prototype.set;

/** An array of a call, and where it is in the module's memory. */
export class BlockArray {
  readonly isOutput: boolean;
  /** Per row in bytes, in the module's memory. */
  readonly rowBytes: number;
  /** SoftmaxDType in the module's memory. */
  readonly dtype: number;
  address = 0;
  readonly #half: number;
  readonly #bytes: Uint8Array;
  /** Along the rows' axis; 0: one row's are together. */
  readonly #along: number;
  /** Elements per row, and bytes of each, in the caller's memory. */
  readonly #each: number;
  readonly #size: number;

  constructor({ data, dtype }: Elements, each: number, isAlong: boolean, isOutput: boolean) {
    const is16 = is16Bit(dtype);
    const given = is16 ? bitsOf(data) : data;
    this.#bytes = new Uint8Array(bufferOf(given), byteOffsetOf(given), byteLengthOf(given));
    this.#size = dtype === 'float64' ? 8 : is16 ? 2 : 4;
    this.#half = is16 ? dtypeNumbers[dtype] : 0;
    this.#each = each;
    this.#along = isAlong ? each : 0;
    this.isOutput = isOutput;
    this.dtype = is16 ? dtypeNumbers.float32 : dtypeNumbers[dtype];
    this.rowBytes = each * (is16 ? 4 : this.#size);
  }

  /** How much memory it takes for so many rows; vectors of 16-bit elements are whole ones. */
  bytesFor(rows: number): number {
    return aligned(rows * this.rowBytes + 16);
  }

  read({ bytes, exports }: Instance, block: Block, inner: number): void {
    const count = this.#countOf(block);
    if (this.#half === 0) {
      this.#move(block, inner, (from, length, at) =>
        bytes.set(this.#bytes.subarray(from, from + length), this.address + at),
      );
      return;
    }
    const whole = (count + 3) & -4;
    const begin = this.address + 2 * whole;
    this.#move(block, inner, (from, length, at) =>
      bytes.set(this.#bytes.subarray(from, from + length), begin + at),
    );
    exports.widen(this.#half, this.address, whole);
  }

  write({ bytes, exports }: Instance, block: Block, inner: number): void {
    if (this.#half !== 0) exports.narrow(this.#half, this.address, (this.#countOf(block) + 3) & -4);
    this.#move(block, inner, (to, length, at) => {
      const from = this.address + at;
      copy.call(this.#bytes, bytes.subarray(from, from + length), to);
    });
  }

  #countOf({ outer, columns }: Block): number {
    return outer * columns * this.#each;
  }

  /** run(begin, length, at), in bytes, for what lies together: from `begin` on in the array, from `at` on in the block. */
  #move(
    { first, outer, column, columns }: Block,
    inner: number,
    run: (begin: number, length: number, at: number) => void,
  ): void {
    const size = this.#size;
    const each = this.#each;
    if (columns === inner || this.#along === 0) {
      run((first * inner + column) * each * size, outer * columns * each * size, 0);
      return;
    }
    for (let k = 0; k < each; k++)
      run(((first * each + k) * inner + column) * size, columns * size, k * columns * size);
  }
}

/** How many elements a row has of an array, and whether they lie along its axis. */
export function layoutOf(
  { count }: OperationArray,
  length: number,
  [first, second]: readonly [number, number],
): { each: number; isAlong: boolean } {
  if (count === Count.perElement) return { each: length, isAlong: true };
  if (count === Count.perPlace) return { each: first, isAlong: true };
  if (count === Count.perTop) return { each: second, isAlong: true };
  if (count === Count.perPair) return { each: length * length, isAlong: false };
  if (count === Count.perDraw || count === Count.perNumber) return { each: first, isAlong: false };
  if (count === Count.perSetting) return { each: settingsPerRow, isAlong: false };
  return { each: 1, isAlong: false };
}
