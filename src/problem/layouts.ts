// Where the elements of a tensor are in its data, if not one after the other in row-major order: strides as the ndarray
// packages have them, column-major order as files of NumPy. The kernels know row-major memory only. An input of another
// layout is copied into that, a result is computed there and copied out: each takes about as long as to copy the array
// element by element, and as much memory again.

import { formatValue, isArray, rangeError, typeError } from '../errors.js';
import { kindOf, lengthOf } from '../typed-arrays.js';
import { arrayLike, partOf } from './dtypes.js';
import { gather } from './layout-memory.js';
import { formatShape, productOf, readSizes, type Sizes } from './shapes.js';

/** The fields of a layout that a tensor has, by its own names. */
export interface LayoutFields {
  readonly strides: 'stride' | 'strides' | undefined;
  readonly offset: 'offset' | undefined;
  readonly fortranOrder: 'fortranOrder' | 'fortran_order' | undefined;
  /** What row-major order is called there. */
  readonly order: 'C' | 'row-major' | undefined;
}

/** Elements that are not one after the other. */
export interface Layout {
  /** The caller's array. */
  readonly data: unknown;
  readonly shape: Sizes;
  /** How many elements lie between neighbours along each axis. */
  readonly strides: Sizes;
  /** Where the first element is. */
  readonly offset: number;
  /** The least and the largest index of an element. */
  readonly first: number;
  readonly last: number;
}

/** Data that kernels can use. */
export interface PackedData {
  /** The caller's array or a part of it; with a layout, a row-major copy. */
  readonly data: unknown;
  readonly layout: Layout | undefined;
  readonly fields: LayoutFields | undefined;
}

/** The fields of a tensor that say where its elements are. Methods that are called so are none. */
export interface GivenLayout {
  readonly stride: unknown;
  readonly strides: unknown;
  readonly offset: unknown;
  readonly fortranOrder: unknown;
  readonly fortran_order: unknown;
  readonly order: unknown;
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && typeof value !== 'function';
/** An ndarray has its axes in the order of their strides, which say more. */
const isOrder = (value: unknown): boolean => isGiven(value) && !isArray(value);

export const hasLayout = (given: GivenLayout): boolean =>
  isGiven(given.strides) ||
  isGiven(given.stride) ||
  isGiven(given.offset) ||
  isGiven(given.fortranOrder) ||
  isGiven(given.fortran_order) ||
  isOrder(given.order);

/** What `order` says: NumPy's letters, and the words of stdlib's ndarray. */
const orders: Readonly<Record<string, { readonly isColumns: boolean; readonly rows: 'C' | 'row-major' }>> = {
  C: { isColumns: false, rows: 'C' },
  F: { isColumns: true, rows: 'C' },
  'row-major': { isColumns: false, rows: 'row-major' },
  'column-major': { isColumns: true, rows: 'row-major' },
};

/** Of a tensor whose shape has been read, with the data for the kernels. What an output has is not copied. */
export function readLayout(
  argument: string,
  data: unknown,
  shape: Sizes,
  given: GivenLayout,
  isOutput: boolean,
): PackedData {
  const stridesName = isGiven(given.strides) ? 'strides' : isGiven(given.stride) ? 'stride' : undefined;
  const fortranName = isGiven(given.fortranOrder)
    ? 'fortranOrder'
    : isGiven(given.fortran_order)
      ? 'fortran_order'
      : undefined;
  refuseBoth(argument, 'strides', 'stride', given);
  refuseBoth(argument, 'fortranOrder', 'fortran_order', given);
  const hasOffset = isGiven(given.offset);
  const order = isOrder(given.order) ? readOrder(argument, given.order) : undefined;
  const isFortran =
    fortranName !== undefined && readFlag(`${argument}.${fortranName}`, argument, given[fortranName]);
  const isContrary = fortranName !== undefined && order !== undefined && isFortran !== order.isColumns;
  if (isContrary && stridesName === undefined) throw contradiction(argument, fortranName, 'order');
  const fields: LayoutFields = {
    strides: stridesName,
    offset: hasOffset ? 'offset' : undefined,
    fortranOrder: fortranName,
    order: order?.rows,
  };
  const strides =
    stridesName === undefined
      ? packedStrides(shape, isFortran || (order?.isColumns ?? false))
      : readStrides(argument, `${argument}.${stridesName}`, given[stridesName], shape);
  const offset = hasOffset ? readOffset(argument, given.offset) : 0;
  // What it is instead is said where the elements are looked at.
  if (kindOf(data) === undefined) return { data, layout: undefined, fields };
  const length = lengthOf(argument, data);
  const count = productOf(shape);
  const isAll = stridesName === undefined && !hasOffset;
  if (isAll && length !== count) return { data, layout: undefined, fields };
  const { first, last } = boundsOf(shape, strides, offset);
  if (count > 0 && (first < 0 || last >= length)) {
    const where = `of shape ${formatShape(shape)}, strides ${formatShape(strides)} and offset ${offset}`;
    const message = `${argument} ${where} needs elements ${first} to ${last} of its data, which has ${length}`;
    throw rangeError('ERR_SHAPE', message, { argument, value: first < 0 ? first : last });
  }
  if (count === 0 || isRowMajor(shape, strides))
    return {
      data: count === length ? data : partOf(data, count > 0 ? offset : 0, count),
      layout: undefined,
      fields,
    };
  const layout: Layout = { data, shape, strides, offset, first, last };
  const packed = arrayLike(data, count);
  if (!isOutput) gather(layout, packed);
  return { data: packed, layout, fields };
}

const contradiction = (argument: string, one: string, other: string) =>
  typeError('ERR_SHAPE', `${argument}.${one} and ${argument}.${other} say different things`, { argument });

function refuseBoth(
  argument: string,
  one: keyof GivenLayout,
  other: keyof GivenLayout,
  given: GivenLayout,
): void {
  if (isGiven(given[one]) && isGiven(given[other]) && given[one] !== given[other])
    throw contradiction(argument, one, other);
}

function readOrder(argument: string, order: unknown) {
  const found = typeof order === 'string' && Object.hasOwn(orders, order) ? orders[order] : undefined;
  if (found) return found;
  const message = `${argument}.order must be 'C', 'F', 'row-major' or 'column-major', got ${formatValue(order)}`;
  throw typeError('ERR_SHAPE', message, { argument, value: order });
}

function readFlag(name: string, argument: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const message = `${name} must be true or false, got ${formatValue(value)}`;
  throw typeError('ERR_SHAPE', message, { argument, value });
}

function readStrides(argument: string, name: string, given: unknown, shape: Sizes): Sizes {
  const strides = readSizes(argument, name, given);
  const index = strides.findIndex((stride) => !Number.isSafeInteger(stride));
  if (index >= 0) {
    const value = strides[index];
    const message = `${name}[${index}] = ${formatValue(value)} is not an integer`;
    throw rangeError('ERR_SHAPE', message, { argument, index, value });
  }
  if (strides.length === shape.length) return strides as number[];
  const message = `${name} has ${strides.length} elements for the shape ${formatShape(shape)}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: strides.length });
}

function readOffset(argument: string, offset: unknown): number {
  if (Number.isSafeInteger(offset) && (offset as number) >= 0) return offset as number;
  const message = `${argument}.offset must be a non-negative integer, got ${formatValue(offset)}`;
  throw (typeof offset === 'number' ? rangeError : typeError)('ERR_SHAPE', message, {
    argument,
    value: offset,
  });
}

/** Of elements one after the other: along the last axis first, or along the first. */
function packedStrides(shape: Sizes, isColumns = false): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = 0; i < shape.length; i++) {
    const axis = isColumns ? i : shape.length - 1 - i;
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** Neighbours along an axis of one element may be anywhere. */
function isRowMajor(shape: Sizes, strides: Sizes): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== stride) return false;
    stride *= size;
  }
  return true;
}

/** The least and the largest index of an element. */
function boundsOf(shape: Sizes, strides: Sizes, offset: number): { first: number; last: number } {
  let first = offset;
  let last = offset;
  for (let axis = 0; axis < shape.length; axis++) {
    const way = ((shape[axis] as number) - 1) * (strides[axis] as number);
    if (way < 0) first += way;
    else last += way;
  }
  return { first, last };
}

/** The same fields of a row-major result. */
export function rowMajorFields(
  { strides, offset, fortranOrder, order }: LayoutFields,
  shape: Sizes,
): Readonly<Record<string, unknown>> {
  return {
    ...(strides && { [strides]: packedStrides(shape) }),
    ...(offset && { [offset]: 0 }),
    ...(fortranOrder && { [fortranOrder]: false }),
    ...(order && { order }),
  };
}
