// The dtypes that a command reads, by np.dtype's names for them.

import { endianness } from 'node:os';
import { Failure, shownName } from '../failures.js';

export type ElementType = 'float16' | 'bfloat16' | 'float32' | 'float64';
export type IntegerType = 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64';

/** Those of one kind of array. */
export interface Dtypes<Type extends string> {
  readonly names: ReadonlyMap<string, Type>;
  readonly sizes: Readonly<Record<Type, number>>;
  /** The end of a message about any other. */
  readonly wanted: string;
  /** What --dtype says: undefined where there is no such option. */
  readonly isBfloat16?: boolean;
}

const namesOf = <Type extends string>(names: Readonly<Record<Type, readonly string[]>>) =>
  new Map(
    (Object.entries(names) as [Type, readonly string[]][]).flatMap(([type, others]) =>
      [type, ...others].map((name) => [name, type] as const),
    ),
  );

const floatNames = namesOf<Exclude<ElementType, 'bfloat16'>>({
  float16: ['f2', 'e', 'half'],
  float32: ['f4', 'f', 'single'],
  float64: ['f8', 'd', 'double', 'float'],
});

/** `isBfloat16`: what V2, two bytes of anything, stands for: that is how a bfloat16 of ml_dtypes is saved. */
export const floats = (isBfloat16 = false): Dtypes<ElementType> => ({
  names: new Map<string, ElementType>([...floatNames, ['V2', 'bfloat16']]),
  sizes: { float16: 2, bfloat16: 2, float32: 4, float64: 8 },
  wanted: 'it must be float16, float32 or float64',
  isBfloat16,
});

/** Class numbers. A letter for a C type has the size that it has on the machine that wrote it: those are not read. */
export const integers: Dtypes<IntegerType> = {
  names: namesOf<IntegerType>({
    ...{ int8: ['i1'], int16: ['i2'], int32: ['i4'], int64: ['i8'] },
    ...{ uint8: ['u1'], uint16: ['u2'], uint32: ['u4'], uint64: ['u8'] },
  }),
  sizes: { int8: 1, int16: 2, int32: 4, int64: 8, uint8: 1, uint16: 2, uint32: 4, uint64: 8 },
  wanted: 'labels must be integers of 8 to 64 bits',
};

export const isBigEndianMachine = endianness() === 'BE';

/** Of a header's 'descr': the type, and whether its bytes are in big-endian order. */
export function readDescription<Type extends string>(
  description: unknown,
  { names, wanted, isBfloat16 }: Dtypes<Type>,
): readonly [Type, boolean] {
  if (Array.isArray(description)) throw new Failure(`its dtype is structured: ${wanted}`);
  if (typeof description !== 'string') throw new Failure(`its 'descr' is not a string: ${wanted}`);
  const shown = `its dtype '${shownName(description.slice(0, 40))}'`;
  // Without an order, or with '=' or '|', it is that of the machine, as for NumPy.
  const [, order, name = ''] = /^([<>=|]?)(\w+)$/.exec(description) ?? [];
  const found = names.get(name);
  if (found === undefined) throw new Failure(`${shown} is not supported: ${wanted}`);
  if (found === 'bfloat16' && !isBfloat16)
    throw new Failure(`${shown} is two bytes of anything: if they are bfloat16, give --dtype bfloat16`);
  if (found !== 'bfloat16' && isBfloat16)
    throw new Failure(`${shown} is ${found}, not bfloat16: leave out --dtype`);
  return [found, order === '>' || (order !== '<' && isBigEndianMachine)];
}

/** Elements between a file's byte order and this machine's. */
export function swapBytes(
  bytes: Buffer,
  { isBigEndian, elementSize }: { readonly isBigEndian: boolean; readonly elementSize: number },
): void {
  if (isBigEndian === isBigEndianMachine || elementSize === 1) return;
  if (elementSize === 2) bytes.swap16();
  else if (elementSize === 4) bytes.swap32();
  else bytes.swap64();
}
