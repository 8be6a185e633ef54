// What a message adds where a value looks like one of another library, or like data that is one step away from what is
// wanted: what to write here. Each begins with a semicolon, or is empty.

import type { DType } from '../backends/kernels.js';
import { formatValue, isArray } from '../errors.js';
import { kindOf } from '../typed-arrays.js';
import type { Sizes } from './shapes.js';

/** A field of whatever value; user code may throw. */
function fieldOf(value: unknown, name: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown> | undefined)?.[name];
  } catch {
    return undefined;
  }
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** To make an array of a value helps for an input, for a result it would be lost. `argument`: or a field of it. */
const isOutput = (argument: string): boolean => /^(out|grad)\b/.test(argument);

/** Of an object that is no tensor. `fields`: what the data is called where it comes among others. */
export function objectHint(argument: string, value: unknown, ...fields: string[]): string {
  if (isFunction(fieldOf(value, 'then'))) return '; it is a promise: await it first';
  const field = fields.find((name) => typeof (fieldOf(value, name) ?? 0) === 'object');
  return field === undefined ? '' : `; did you mean ${argument}.${field}?`;
}

/** A plain array of plain arrays has to be flat first. */
function flat(argument: string, array: unknown): string {
  return isArray(fieldOf(array, 0)) ? `${argument}.flat(Infinity)` : argument;
}

/** How to make floats of what is no array of them. `mayBeBytes`: of floats, as files and networks give them. */
export function floatsHint(argument: string, value: unknown, mayBeBytes = true): string {
  if (isOutput(argument)) return argument === 'grad' ? '; true asks for a new one' : '';
  if (isArray(value)) return `; make new Float32Array(${flat(argument, value)})`;
  const kind = kindOf(value);
  const bytes = `new Float32Array(${argument}.buffer, ${argument}.byteOffset, ${argument}.byteLength / 4)`;
  if (kind === 'Uint8Array' && mayBeBytes)
    return `; if it is the bytes of floats make ${bytes}, else Float32Array.from(${argument})`;
  if (kind !== undefined)
    return `; make Float32Array.from(${argument}${kind.startsWith('Big') ? ', Number' : ''})`;
  const shown = formatValue(value);
  if (shown === 'a DataView') return `; make ${bytes}`;
  if (/ArrayBuffer$/.test(shown)) return `; make new Float32Array(${argument})`;
  return objectHint(argument, value, 'logits', 'values');
}

/** Of floats where class indices may have been meant. */
export const floatLabels = 'float targets are probabilities; class indices need an integer array';

/** How to make class indices of what is none. */
export function classesHint(argument: string, value: unknown): string {
  if (Number.isInteger(value)) return `; make [${value}] for one row`;
  if (isArray(value)) return `; make Int32Array.from(${flat(argument, value)})`;
  const kind = kindOf(value);
  if (kind?.startsWith('Float')) return `; ${floatLabels}: Int32Array.from(${argument})`;
  return kind ? `; make Int32Array.from(${argument})` : objectHint(argument, value, 'labels');
}

/** How to make a mask of what is none. */
export function maskHint(value: unknown): string {
  if (isArray(value)) return `; make Uint8Array.from(${flat('mask', value)})`;
  const kind = kindOf(value);
  if (kind?.startsWith('Float'))
    return '; if it is added to logits make Uint8Array.from(mask, (bias) => (bias === 0 ? 1 : 0))';
  if (kind === undefined) return objectHint('mask', value, 'attention_mask');
  return kind === 'Uint8ClampedArray' ? '; make Uint8Array.from(mask)' : '; make { data: mask, shape } of it';
}

/** Of a tensor whose data has to be asked for. */
export function dataMethodHint(argument: string, tensor: unknown): string {
  if (isOutput(argument)) return '';
  const data = isFunction(fieldOf(tensor, 'dataSync'))
    ? `${argument}.dataSync()`
    : `await ${argument}.data()`;
  return `; make { data: ${data}, shape: ${argument}.shape }`;
}

/** Of a tensor that is not on the CPU. */
export const locationHint = (argument: string, tensor: unknown): string =>
  !isOutput(argument) && isFunction(fieldOf(tensor, 'getData')) ? `: await ${argument}.getData() first` : '';

/** A bare Uint16Array does not say what it holds. `option`: what the option `dtype` says. */
export function sixteenBitsHint(argument: string, option: DType | undefined): string {
  const wrapped = "wrap it: { data, shape, dtype: 'float16' }";
  return option === undefined || isOutput(argument)
    ? `; ${wrapped}, or give the option dtype`
    : `; ${wrapped}; the option dtype, '${option}', says what results hold`;
}

const spellings: readonly (readonly [DType, readonly string[]])[] = [
  ['float32', ['f4', 'f32', 'fp32', 'float', 'single', 'float32array', 'f']],
  ['float64', ['f8', 'f64', 'fp64', 'double', 'float_', 'float64array', 'd']],
  ['float16', ['f2', 'f16', 'fp16', 'half', 'float16array', 'e']],
  ['bfloat16', ['bf16', 'bfloat']],
];

/** What a dtype is called here that NumPy, PyTorch, C or JavaScript spells in another way: 'f4', '<f4', 'torch.half'. */
export function dtypeSpelled(value: unknown): DType | undefined {
  const name = isFunction(value) ? fieldOf(value, 'name') : value;
  if (typeof name !== 'string' || name.length > 40) return undefined;
  const short = name
    .trim()
    .toLowerCase()
    .replace(/^(torch|np|numpy|jnp|jax\.numpy|tf|mx|ml_dtypes)\.|^[<=|]/, '');
  if (/^(np|numpy)\.float$/.test(name)) return 'float64';
  return spellings.find(([dtype, others]) => dtype === short || others.includes(short))?.[0];
}

/** The same of the option. `float` alone is another type in NumPy. */
export function dtypeHint(value: unknown): string {
  const dtype = dtypeSpelled(value);
  if (dtype === undefined) return '';
  return `; that is '${dtype}' here${value === 'float' ? ", and 'float64' if it is NumPy's" : ''}`;
}

/** Rows, of an array that may have no shape. */
interface Shaped {
  readonly shape: Sizes | undefined;
  readonly elements: number;
}

/** Where something is not one per row: what else the rows may be. */
export function rowsHint({ shape, elements }: Shaped, count: number): string {
  if (shape === undefined) return '; give shape and axis, as without them there is one row';
  const axis = shape.findIndex((size) => size > 0 && elements / size === count);
  return axis < 0 || count === 0 ? '' : `; with axis ${axis} there would be as many`;
}

/** Where something is not one per class. */
export function classCountHint({ shape }: Pick<Shaped, 'shape'>, count: number): string {
  if (shape === undefined) return '; give shape and axis, as without them there is one row';
  const axis = shape.indexOf(count);
  return axis < 0 || count === 0 ? '' : `; with axis ${axis} there would be as many`;
}
