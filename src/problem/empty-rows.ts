// Rows without anything that counts become rows that the mask empties: no loss, no gradient, probabilities 0. The kernels
// know such rows. They are looked for only where the option emptyRow asks for it, each up to its first element that
// counts.

import { ElementMemory } from '../backends/element-memory.js';
import { isKept, placeOf } from '../backends/js/rows.js';
import { signOf } from '../backends/js/scaling.js';
import type { Elements, Multipliers, RowMask, Rows } from '../backends/kernels.js';
import { allocateOrThrow, copyElements, rawLengthOf } from '../typed-arrays.js';
import type { RowOptions, RowProblem } from './rows.js';

/** What the mask reads as where it drops logits, and what a row of nothing has: −Infinity once it is multiplied. */
export const nothingOf = (multiplier: Multipliers): number =>
  signOf(typeof multiplier === 'number' ? multiplier : (multiplier[0] ?? 1)) * Number.NEGATIVE_INFINITY;

/** Whether the mask keeps no element of a row. */
export function isEmptied({ mask, length }: Rows, row: number): boolean {
  if (mask === undefined) return false;
  // One look at a mask that is the same for all of a row.
  const looks = mask.step === 0 ? 1 : length;
  for (let k = 0; k < looks; k++) if (isKept(mask, row, k)) return false;
  return true;
}

/** Whether all that the mask keeps of a row is `nothing`. */
export function isEmpty(rows: Rows, elements: ElementMemory, row: number, nothing: number): boolean {
  const { mask, length, inner } = rows;
  const first = placeOf(rows, length, row, 0);
  for (let k = 0; k < length; k++)
    if (elements.get(first + k * inner) !== nothing && isKept(mask, row, k)) return false;
  return true;
}

/** Whether the mask keeps a NaN of a row, or what is +Infinity once it is multiplied: `infinite`. */
export function isImproper(rows: Rows, elements: ElementMemory, row: number, infinite: number): boolean {
  const { mask, length, inner } = rows;
  const first = placeOf(rows, length, row, 0);
  for (let k = 0; k < length; k++) {
    const element = elements.get(first + k * inner);
    if ((Number.isNaN(element) || element === infinite) && isKept(mask, row, k)) return true;
  }
  return false;
}

/** Rows whose mask drops, beside all that it drops, every element of some of them. */
export function withoutRows(rows: RowProblem, isDropped: (row: number) => boolean): RowProblem {
  const { rowCount, length, mask } = rows;
  if (length === 0) return rows;
  let changed: RowMask | undefined;
  for (let row = 0; row < rowCount; row++) {
    if (!isDropped(row)) continue;
    changed ??= withZeros(mask, rowCount, length);
    changed.offsets[row] = mask ? rawLengthOf(mask.data) : 1;
  }
  return changed === undefined ? rows : { ...rows, mask: changed };
}

/** A copy of a mask that has zeros for all of a row behind its own bytes. */
function withZeros(mask: RowMask | undefined, rowCount: number, length: number): RowMask {
  if (mask === undefined) {
    const offsets = allocateOrThrow(rowCount, () => new Float64Array(rowCount));
    return { data: Uint8Array.of(1, 0), offsets, step: 0 };
  }
  const bytes = rawLengthOf(mask.data) + (length - 1) * mask.step + 1;
  const data = allocateOrThrow(bytes, () => new Uint8Array(bytes));
  copyElements(mask.data, data);
  return { data, offsets: mask.offsets.slice(), step: mask.step };
}

/** As the option emptyRow has it: rows of `nothing` are masked for 'zero'. */
export function withEmptyRow(
  rows: RowProblem,
  elements: Elements,
  { zeroesEmpty }: RowOptions,
  nothing = nothingOf(rows.multiplier),
): RowProblem {
  if (!zeroesEmpty) return rows;
  const memory = new ElementMemory(elements);
  return withoutRows(rows, (row) => isEmpty(rows, memory, row, nothing));
}
