// The option `mask`: which elements count. Broadcast from the right against the logits' shape.

import type { RowMask } from '../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../errors.js';
import { allocateOrThrow, bufferOf, kindOf, lengthOf, rawLengthOf } from '../typed-arrays.js';
import { integerTypes } from './dtypes.js';
import { maskHint } from './hints.js';
import { formatShape, productOf, type Sizes } from './shapes.js';
import { readTensor, type TensorFields } from './tensors.js';

/** A mask as it was given. */
export interface Mask {
  readonly data: Uint8Array | ArrayLike<number | bigint>;
  /** Undefined for a bare array. */
  readonly tensor: TensorFields | undefined;
}

export function readMask(mask: unknown): Mask {
  const fail = (what: string) =>
    typeError('ERR_MASK', `mask must be a Uint8Array or a tensor of bool or integers, got ${what}`, {
      argument: 'mask',
      value: mask,
    });
  const kind = kindOf(mask);
  if (kind === 'Uint8Array') return { data: mask as Uint8Array, tensor: undefined };
  const tensor = kind === undefined ? readTensor('mask', mask, true) : undefined;
  if (tensor === undefined) throw fail(formatValue(mask) + maskHint(mask));
  const { data, dtype } = tensor;
  const type = integerTypes[kindOf(data) ?? ''];
  if (type === undefined) throw fail(`a tensor of ${formatValue(data)}`);
  const fits = dtype === undefined || dtype === type || (type === 'uint8' && dtype === 'bool');
  if (!fits) {
    const own = type === 'uint8' ? "'uint8' or 'bool'" : `'${type}'`;
    throw fail(`a tensor of type ${formatValue(dtype)} with a ${kindOf(data)}, whose type is ${own}`);
  }
  return { data: data as ArrayLike<number | bigint>, tensor };
}

/** Where the elements of an array are that a mask is broadcast to. */
export interface MaskedRows {
  readonly shape: Sizes;
  readonly axis: number;
  readonly rowCount: number;
}

/** The mask of every row; throws where it does not fit the shape. Undefined if there is nothing to drop. */
export function rowMaskOf({ data, tensor }: Mask, rows: MaskedRows): RowMask | undefined {
  const length = lengthOf('mask', data);
  const sizes = tensor?.shape ?? suffixOf(length, rows.shape);
  if (productOf(sizes) !== length)
    throw maskError(sizes, `has ${productOf(sizes)} elements, but its data has ${length}`);
  const strides = stridesOf(sizes, rows.shape);
  if (productOf(rows.shape) === 0) return undefined;
  return {
    data: bytesOf(data),
    offsets: offsetsOf(rows, strides),
    step: strides[rows.axis] as number,
  };
}

/**
 * One byte per element. Another thread could change shared memory between two looks at one: that is copied. By index: an
 * array's iterator may be user code.
 */
function bytesOf(data: Mask['data']): Uint8Array {
  if (kindOf(data) === 'Uint8Array' && bufferOf(data) instanceof ArrayBuffer) return data as Uint8Array;
  const length = rawLengthOf(data);
  const bytes = allocateOrThrow(length, () => new Uint8Array(length));
  for (let i = 0; i < bytes.length; i++) bytes[i] = data[i] ? 1 : 0;
  return bytes;
}

function maskError(shape: Sizes, problem: string): RangeError {
  const message = `mask of shape ${formatShape(shape)} ${problem}`;
  return rangeError('ERR_MASK', message, { argument: 'mask', value: formatShape(shape) });
}

/** Without the option shape a bare array is one row. */
const oneRowHint = (shape: Sizes): string =>
  shape.length === 1 ? '; give shape if there are several rows' : '';

/** The last axes that have as many elements as a bare mask. */
function suffixOf(length: number, shape: Sizes): Sizes {
  let product = 1;
  for (let first = shape.length - 1; first >= 0; first--) {
    product *= shape[first] as number;
    if (product === length) return shape.slice(first);
  }
  const message = `mask has ${length} elements, which matches no trailing axes of the shape ${formatShape(shape)}${oneRowHint(shape)}`;
  throw rangeError('ERR_MASK', message, { argument: 'mask', value: length });
}

/** How far apart in the mask the neighbours along each axis of the array are; 0 where it is broadcast. */
function stridesOf(mask: Sizes, shape: Sizes): Sizes {
  const strides = new Array<number>(shape.length).fill(0);
  const missing = shape.length - mask.length;
  if (missing < 0)
    throw maskError(mask, `has more axes than the shape ${formatShape(shape)}${oneRowHint(shape)}`);
  let stride = 1;
  for (let axis = mask.length - 1; axis >= 0; axis--) {
    const size = mask[axis] as number;
    if (size === shape[missing + axis]) strides[missing + axis] = stride;
    else if (size !== 1) throw maskError(mask, `does not broadcast to the shape ${formatShape(shape)}`);
    stride *= size;
  }
  return strides;
}

/** Where the mask of each row begins: of rows in the order of the other axes. */
function offsetsOf({ shape, axis, rowCount }: MaskedRows, strides: Sizes): Float64Array {
  const offsets = allocateOrThrow(rowCount, () => new Float64Array(rowCount));
  let filled = 1;
  // From the last axis to the first: each repeats what there is so far, a stride further on.
  for (let other = shape.length - 1; other >= 0; other--) {
    if (other === axis) continue;
    const size = shape[other] as number;
    const stride = strides[other] as number;
    for (let k = 1; k < size; k++)
      for (let row = 0; row < filled; row++)
        offsets[k * filled + row] = (offsets[row] as number) + k * stride;
    filled *= size;
  }
  return offsets;
}
