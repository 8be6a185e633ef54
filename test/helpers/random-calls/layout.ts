// What the fields of a plan come to together: the shape, the rows along its axis, the types of its arrays.

import { signatureOf } from './functions.js';
import { hasHalfArrays } from './memory.js';
import type { ArrayPlan, CallPlan, FloatKind } from './plan.js';
import type { StoredKind } from './values.js';

export interface Layout {
  /** What the arrays have; rows of it are along `axis`. */
  readonly sizes: readonly number[];
  readonly axis: number;
  /** What is said: undefined for what is left out. */
  readonly givenShape: readonly number[] | undefined;
  readonly givenAxis: number | undefined;
  readonly isTensor: boolean;
  readonly elements: number;
  readonly rowCount: number;
  readonly length: number;
  /** Of a row in shards: how many classes each has, those before the first input's, all. Else all are the input's. */
  readonly shards: readonly number[];
  readonly offset: number;
  readonly classes: number;
  readonly isDouble: boolean;
  /** The option `dtype`. */
  readonly dtype: StoredKind | undefined;
}

const productOf = (sizes: readonly number[]): number =>
  sizes.includes(0) ? 0 : sizes.reduce((product, size) => product * size, 1);

const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

const mostElements = 1200;
const mostOfLargeCalls = 90_000;
const mostOfShards = 10_000;

/** Sizes that a call of may have: only one in many is large. */
function bounded(plan: CallPlan): readonly number[] {
  let { sizes } = plan;
  const isSquare = signatureOf(plan.fn).result === 'square';
  if (isSquare) sizes = sizes.map((size) => (size < 2 ** 31 ? Math.min(size, 24) : size));
  const mayBeLarge = sizes.length <= 2 && !isSquare;
  const most = mayBeLarge ? mostOfLargeCalls : mostElements;
  for (let limit = 300; productOf(sizes) > most; limit = Math.ceil(limit / 2))
    sizes = sizes.map((size) => Math.min(size, limit));
  return sizes;
}

/** float64 cannot be mixed with other types: now and then something else is tried. */
export function kindOf({ kind, seed }: ArrayPlan, isDouble: boolean): FloatKind {
  const isMixed = seed % 64 === 1;
  if (isMixed || (kind === 'float64') === isDouble) return kind;
  return isDouble ? 'float64' : 'float32';
}

export const storedOf = (kind: FloatKind): StoredKind => (kind === 'Float16Array' ? 'float16' : kind);

/** The name of the array that holds a kind. */
export function arrayNameOf(kind: FloatKind): string {
  if (kind === 'float32') return 'Float32Array';
  if (kind === 'float64') return 'Float64Array';
  return kind === 'Float16Array' && hasHalfArrays ? 'Float16Array' : 'Uint16Array';
}

/** Whether only a dtype could say what it holds. */
const isUnnamed = (array: ArrayPlan, isDouble: boolean): boolean =>
  arrayNameOf(kindOf(array, isDouble)) === 'Uint16Array' && (array.container === 'bare' || !array.says);

function dtypeOf(plan: CallPlan, isDouble: boolean): StoredKind | undefined {
  const [first, second] = plan.inputs;
  const asked = plan.dtype && storedOf(plan.dtype);
  if (isUnnamed(first, isDouble)) return storedOf(kindOf(first, isDouble));
  if (asked !== undefined && (asked === 'float64') === isDouble) return asked;
  return isUnnamed(second, isDouble) ? storedOf(kindOf(second, isDouble)) : undefined;
}

const made = new WeakMap<CallPlan, Map<string, unknown>>();

/** What is made of a plan: once for all of its worlds. */
export function once<Value>(plan: CallPlan, name: string, make: () => Value): Value {
  let values = made.get(plan);
  if (values === undefined) {
    values = new Map();
    made.set(plan, values);
  }
  const known = values.get(name);
  if (known !== undefined) return known as Value;
  const value = make();
  values.set(name, value);
  return value;
}

export const layoutOf = (plan: CallPlan): Layout => once(plan, 'layout', () => newLayout(plan));

function newLayout(plan: CallPlan): Layout {
  const [first] = plan.inputs;
  const isTensor = first.container !== 'bare';
  const sizes = bounded(plan);
  const elements = productOf(sizes);
  const isSaid = plan.shapeAs !== 'none' || sizes.length !== 1;
  const givenShape = (isTensor ? first.seed % 4 === 0 : isSaid) ? sizes : undefined;
  const isShaped = isTensor || givenShape !== undefined;
  // A bare array is one row.
  const seen = isShaped && sizes.length > 0 ? sizes : [elements];
  const rank = seen.length;
  // gatherTopK takes what is along the last axis.
  const isLast =
    plan.axis === undefined || signatureOf(plan.fn).result === 'square' || plan.fn === 'gatherTopK';
  const axis = isLast ? rank - 1 : (plan.axis as number) % rank;
  const givenAxis = plan.axis === undefined ? undefined : plan.axis % 2 === 0 ? axis : axis - rank;
  const length = seen[axis] as number;
  const rowCount = productOf(seen.filter((_, other) => other !== axis));
  const isSharded = signatureOf(plan.fn).shards !== undefined && sizes.length > 0;
  // Others are less than what sizes are bounded to: every world has calls of all of them.
  const room = Math.floor((sizes.length <= 2 ? mostOfShards : mostElements) / Math.max(1, rowCount));
  const capped = (others: readonly number[]) =>
    isSharded ? others.map((classes) => Math.min(classes, room)) : [];
  const [before, after] = [capped(plan.shards.before), capped(plan.shards.after)];
  const shards = [...before, length, ...after];
  const offset = sumOf(before);
  const classes = offset + length + sumOf(after);
  const isDouble = first.kind === 'float64';
  const dtype = dtypeOf(plan, isDouble);
  const result = { sizes, axis, givenShape, givenAxis, isTensor, elements, rowCount, length };
  return { ...result, shards, offset, classes, isDouble, dtype };
}
