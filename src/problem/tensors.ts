// Array arguments, bare or in a tensor: an object with the fields of ONNX Runtime's tensors (data, dims, type,
// location) or with NumPy's names (data, shape, dtype), and a layout (layouts.ts). Such an object may be a proxy, and its getters may run any
// code: every field is read once, and no length is looked at before all of them have been read.

import type { DType, Elements, ElementType } from '../backends/kernels.js';
import { cut, formatValue, isArray, rangeError, typeError } from '../errors.js';
import { kindOf, lengthOf } from '../typed-arrays.js';
import { dtypeOfArray } from './dtypes.js';
import { polyfilledBits } from './half-arrays.js';
import { dataMethodHint, floatsHint, locationHint } from './hints.js';
import {
  type GivenLayout,
  hasLayout,
  type Layout,
  type LayoutFields,
  readLayout,
  rowMajorFields,
} from './layouts.js';
import { formatShape, isSameShape, productOf, readShape, type Sizes } from './shapes.js';

/** The fields of a tensor. */
export interface TensorFields {
  readonly data: unknown;
  /** Which name it has for its shape. */
  readonly shapeName: 'dims' | 'shape';
  readonly shape: Sizes;
  readonly dtypeName: 'type' | 'dtype';
  /** What it says that it holds; undefined if it says nothing. */
  readonly dtype: unknown;
  /** Where the caller has the elements, if `data` is a row-major copy of them. */
  readonly layout: Layout | undefined;
  readonly layoutFields: LayoutFields | undefined;
}

/** Elements of an argument. */
export interface Operand<Type extends ElementType = DType> extends Elements<Type> {
  /** The tensor that they came in. */
  readonly tensor: TensorFields | undefined;
}

/** An argument of floats. */
export interface Input {
  readonly argument: string;
  readonly operand: Operand;
}

/** The fields of an object that has `data`; undefined for anything else. */
export function readTensor(
  argument: string,
  value: unknown,
  mayBeScalar: boolean,
  isOutput = false,
): TensorFields | undefined {
  if (typeof value !== 'object' || value === null || isArray(value)) return undefined;
  const tensor = value as Record<string, unknown>;
  // First: the data of a tensor in another memory must not even be asked for.
  const { location } = tensor;
  if (location !== undefined && location !== 'cpu' && location !== 'cpu-pinned') {
    const place = typeof location === 'string' ? cut(location, 40) : formatValue(location);
    const message = `${argument} is on ${place}; its data must be on cpu${locationHint(argument, tensor)}`;
    throw typeError('ERR_NOT_ON_CPU', message, { argument, value: location });
  }
  let { data } = tensor;
  if (data === undefined) return undefined;
  if (typeof data === 'function') {
    const message = `${argument}.data is a function, not an array${dataMethodHint(argument, tensor)}`;
    throw typeError('ERR_DTYPE', message, { argument, value: data });
  }
  let shapeName: TensorFields['shapeName'] = 'dims';
  let { dims: sizes } = tensor;
  if (sizes === undefined) {
    shapeName = 'shape';
    sizes = tensor.shape;
    if (sizes === undefined) {
      const message = `${argument} has data, but neither dims nor shape`;
      throw typeError('ERR_SHAPE', message, { argument });
    }
  }
  const shape = readShape(argument, `${argument}.${shapeName}`, sizes, { mayBeScalar });
  let dtypeName: TensorFields['dtypeName'] = 'type';
  let { type: dtype } = tensor;
  if (dtype === undefined) {
    dtype = tensor.dtype;
    if (dtype !== undefined || shapeName === 'shape') dtypeName = 'dtype';
  }
  if (dtype === undefined || dtype === 'float16') {
    const bits = polyfilledBits(argument, data);
    if (bits !== undefined) [data, dtype] = [bits, 'float16'];
  }
  const { stride, strides, offset, fortranOrder, fortran_order, order } = tensor;
  const given: GivenLayout = { stride, strides, offset, fortranOrder, fortran_order, order };
  if (!hasLayout(given))
    return { data, shapeName, shape, dtypeName, dtype, layout: undefined, layoutFields: undefined };
  const { data: packed, layout, fields: layoutFields } = readLayout(argument, data, shape, given, isOutput);
  return { data: packed, shapeName, shape, dtypeName, dtype, layout, layoutFields };
}

/** Floats. `hint`: what a Uint16Array holds where its tensor does not say. */
export function readOperand(
  argument: string,
  value: unknown,
  hint: DType | undefined,
  mayBeScalar = false,
  isOutput = false,
): Operand {
  const kind = kindOf(value);
  if (kind === 'Float32Array') return { data: value as Float32Array, dtype: 'float32', tensor: undefined };
  const tensor = kind === undefined ? readTensor(argument, value, mayBeScalar, isOutput) : undefined;
  const bits = tensor || kind === 'Float64Array' ? undefined : polyfilledBits(argument, value);
  if (bits !== undefined) return { data: bits, dtype: 'float16', tensor: undefined };
  const operand = tensor
    ? operandOf(argument, tensor, hint)
    : { data: value as Float32Array, dtype: dtypeOfArray(argument, value, undefined, hint), tensor };
  if (operand.dtype !== undefined) return operand as Operand;
  const message = `${argument} must be an array of floats or a tensor of them, got ${formatValue(value)}${floatsHint(argument, value)}`;
  throw typeError('ERR_DTYPE', message, { argument, value });
}

/** The floats of a tensor. */
export function operandOf(argument: string, tensor: TensorFields, hint: DType | undefined): Operand {
  const data = tensor.data as Float32Array;
  const dtype = dtypeOfArray(argument, data, tensor.dtype, hint);
  if (dtype !== undefined) return { data, dtype, tensor };
  const message = `${argument}.data must be an array of floats, got ${formatValue(data)}${floatsHint(`${argument}.data`, data)}`;
  throw typeError('ERR_DTYPE', message, { argument, value: data });
}

/** Whether only the option `dtype` said what an operand holds. */
export function isNamedByOption({ data, tensor }: Operand<ElementType>): boolean {
  return kindOf(data) === 'Uint16Array' && tensor?.dtype === undefined;
}

/** The shape of a tensor, which must agree with `others`, that of another argument or option; or `others`. */
export function shapeOf(
  argument: string,
  tensor: TensorFields | undefined,
  others: Sizes | undefined,
): Sizes | undefined {
  if (tensor === undefined) return others;
  if (others === undefined || isSameShape(tensor.shape, others)) return tensor.shape;
  throw shapeError(argument, tensor, `is not the shape ${formatShape(others)}`);
}

/** A tensor's elements must be as many as its shape says. Returns their number. */
export function requireOwnShape(argument: string, data: unknown, tensor?: TensorFields): number {
  const length = lengthOf(argument, data);
  if (tensor === undefined) return length;
  const product = productOf(tensor.shape);
  if (product === length) return length;
  throw shapeError(argument, tensor, `has ${product} elements, but its data has ${length}`);
}

/** `tensor` has a shape. */
export function shapeError(argument: string, tensor: TensorFields, problem: string) {
  const { shapeName, shape } = tensor;
  const message = `${argument}.${shapeName} ${formatShape(shape)} ${problem}`;
  return rangeError('ERR_SHAPE', message, { argument, value: formatShape(shape) });
}

/** A result in the kind of container that an argument came in, with the same names of its fields. */
export function inContainerOf(
  { tensor }: Operand<ElementType>,
  { data, dtype }: Elements,
  shape: Sizes | undefined,
): unknown {
  if (tensor === undefined) return data;
  const result: Record<string, unknown> = { data };
  if (shape !== undefined) result[tensor.shapeName] = [...shape];
  if (tensor.layoutFields) Object.assign(result, rowMajorFields(tensor.layoutFields, shape ?? []));
  // A Uint16Array alone does not say what it holds.
  if (tensor.dtype !== undefined || kindOf(data) === 'Uint16Array') result[tensor.dtypeName] = dtype;
  return result;
}
