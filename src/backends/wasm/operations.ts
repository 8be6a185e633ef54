// The table of native/operations.h, as the module has it.

import type { Exports } from './web-assembly.js';

/** What an array has one of: enum class Count. */
export const Count = {
  perElement: 0,
  perRow: 1,
  perClass: 2,
  perPair: 3,
  perPlace: 4,
  perTop: 5,
  perDraw: 6,
  perSetting: 7,
  perNumber: 8,
} as const;

export interface OperationArray {
  /** Whether its elements are of a dtype that the caller chooses. */
  readonly isOfElements: boolean;
  readonly count: number;
  readonly isOutput: boolean;
  /** An output of as many elements may take its place. */
  readonly isReplaceable: boolean;
}

export interface OperationEntry {
  readonly number: number;
  readonly arrays: readonly OperationArray[];
}

function readArrays({ arrayOf }: Exports, operation: number): OperationArray[] {
  const arrays: OperationArray[] = [];
  for (let bits = arrayOf(operation, 0); bits !== 0; bits = arrayOf(operation, arrays.length))
    arrays.push({
      isOfElements: (bits & 15) === 0,
      count: (bits >> 4) & 15,
      isOutput: (bits & (1 << 8)) !== 0,
      isReplaceable: (bits & (1 << 9)) !== 0,
    });
  return arrays;
}

function readName({ memory }: Exports, address: number): string {
  const bytes = new Uint8Array(memory.buffer, address);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}

/** By name. */
export function readOperations(exports: Exports): ReadonlyMap<string, OperationEntry> {
  const operations = new Map<string, OperationEntry>();
  for (let number = 0; ; number++) {
    const name = exports.nameOf(number);
    if (name === 0) return operations;
    operations.set(readName(exports, name), { number, arrays: readArrays(exports, number) });
  }
}
