// Two neighbouring nodes of a row become one, in the measure of the larger maximum (backends/js/scaled-sums.ts).

import { BlockField, blockFields } from '../../backends/block-fields.js';
import { exponentOf, offsetOf, powerOfTwo } from '../../backends/js/reference.js';
import { weightIn } from '../../backends/js/scaled-sums.js';
import { canonical, type Scaling, scalingOf } from '../../backends/js/scaling.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { type Joins, nodesAt, RowField, rowAt, type State } from './state.js';

// Constants of this module: of the class's own V8 knows no type until they were read once.
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: negativeInfinity } = Number;
const { top, sum, beside, wide, largest, untargeted, nearSum, nearLargest, nearTop } = BlockField;

/** The nodes of a row that are not joined yet. */
export interface Stack {
  readonly fields: Float64Array;
  /** Of their measures. */
  readonly exponents: Float64Array;
  /** 1 for float32 nodes that are far from log-sum-exps near 0, as most are: they have but a maximum and sums. */
  readonly isFar: Uint8Array;
}

export const newStack = (nodes: number): Stack => ({
  fields: allocateOrThrow(nodes * blockFields, () => new Float64Array(nodes * blockFields)),
  exponents: allocateOrThrow(nodes, () => new Float64Array(nodes)),
  isFar: allocateOrThrow(nodes, () => new Uint8Array(nodes)),
});
/** As many nodes are kept for the next call. */
const mostKept = 2 ** 12;
let kept = newStack(64);

function stackOf(nodes: number): Stack {
  if (nodes <= kept.exponents.length) return kept;
  const stack = newStack(nodes);
  if (nodes <= mostKept) kept = stack;
  return stack;
}

/** N of the measure of a node. */
const exponentOfTop = (value: number, scaling: Scaling): number =>
  exponentOf(value - offsetOf(value, scaling), scaling);

/** What a node's sums are multiplied by to be in the measure of another, with a larger maximum. */
function weightOf(own: number, ownExponent: number, top: number, exponent: number, scaling: Scaling): number {
  // Of nothing, whose measure may be far away, there is nothing in any other.
  if (own === negativeInfinity) return 0;
  const offset = offsetOf(top, scaling);
  if (offset === 0 && offsetOf(own, scaling) === 0) return powerOfTwo(ownExponent - exponent);
  const from = { offset: offsetOf(own, scaling), exponent: ownExponent };
  return weightIn({ offset, exponent }, from, scaling);
}

/** Of rows that have a +Infinity: whether they have a NaN, too. */
function joinInfinite(f: Float64Array, a: number, b: number, isDouble: boolean): void {
  const isNan = Number.isNaN(f[a + sum]) || Number.isNaN(f[b + sum]);
  for (let field = 0; field < blockFields; field++) f[a + field] = nan;
  f[a + top] = infinity;
  f[a + sum] = isNan ? nan : infinity;
  if (!isDouble) f[a + largest] = 0;
}

/** As join of backends/js/near-zero.ts: NaN where either is, and where the sum is too large for a row near 0. */
function joinNear(f: Float64Array, a: number, b: number): void {
  const near = (f[a + nearSum] as number) + (f[b + nearSum] as number);
  if (!(near <= 2)) {
    f[a + nearSum] = nan;
    f[a + nearLargest] = nan;
    f[a + nearTop] = nan;
    return;
  }
  f[a + nearSum] = near;
  if (!((f[b + nearTop] as number) >= (f[a + nearTop] as number))) return;
  f[a + nearLargest] = f[b + nearLargest] as number;
  f[a + nearTop] = f[b + nearTop] as number;
}

/** Gives a node that is far from them the fields that it has no need of. */
function complete({ fields: f, isFar }: Stack, i: number): void {
  if (isFar[i] === 0) return;
  isFar[i] = 0;
  const at = i * blockFields;
  f[at + beside] = nan;
  f[at + wide] = nan;
  f[at + largest] = 0;
  f[at + nearSum] = nan;
  f[at + nearLargest] = nan;
  f[at + nearTop] = nan;
}

/** Node i of the stack becomes that of it and of the next. */
export function join(stack: Stack, i: number, scaling: Scaling): void {
  const { fields: f, exponents, isFar } = stack;
  const areFar = isFar[i] === 1 && isFar[i + 1] === 1;
  if (!areFar) {
    complete(stack, i);
    complete(stack, i + 1);
  }
  const a = i * blockFields;
  const b = a + blockFields;
  const topA = f[a + top] as number;
  const topB = f[b + top] as number;
  const isOfA = topA >= topB;
  if (topA === infinity || topB === infinity) {
    complete(stack, i);
    joinInfinite(f, a, b, scaling.isDouble);
    exponents[i] = 0;
    return;
  }
  const exponentA = exponents[i] as number;
  const exponentB = exponents[i + 1] as number;
  const weightA = isOfA ? 1 : weightOf(topA, exponentA, topB, exponentB, scaling);
  const weightB = isOfA ? weightOf(topB, exponentB, topA, exponentA, scaling) : 1;
  const sumA = f[a + sum] as number;
  const sumB = f[b + sum] as number;
  if (!areFar) {
    joinBeside(f, a, b, isOfA, weightA, weightB, scaling);
    joinNear(f, a, b);
  }
  f[a + top] = isOfA ? topA : topB;
  f[a + sum] = sumA * weightA + sumB * weightB;
  f[a + untargeted] = (f[a + untargeted] as number) * weightA + (f[b + untargeted] as number) * weightB;
  exponents[i] = isOfA ? exponentA : exponentB;
}

/** Sums beside the largest, before those of all are joined. `isOfA`: it is in a. */
function joinBeside(
  f: Float64Array,
  a: number,
  b: number,
  isOfA: boolean,
  weightA: number,
  weightB: number,
  scaling: Scaling,
): void {
  const sumA = f[a + sum] as number;
  const sumB = f[b + sum] as number;
  const wideA = f[a + wide] as number;
  const wideB = f[b + wide] as number;
  // All of the node with the smaller maximum is beside the larger. Of float32 both are in the same measure.
  if (scaling.isDouble) {
    const largestA = (f[a + largest] as number) * weightA;
    const largestB = (f[b + largest] as number) * weightB;
    const besideA = isOfA ? (f[a + beside] as number) : sumA;
    const besideB = isOfA ? sumB : (f[b + beside] as number);
    f[a + beside] = besideA * weightA + besideB * weightB;
    f[a + wide] = wideA * weightA + wideB * weightB + (largestA < largestB ? largestA : largestB);
    f[a + largest] = largestA < largestB ? largestB : largestA;
  } else {
    f[a + beside] = isOfA ? (f[a + beside] as number) + wideB : wideA + (f[b + beside] as number);
    f[a + wide] = wideA + wideB;
  }
}

/** The scaling of each row. */
export function scalingsOf(state: State): (row: number) => Scaling {
  let of = 1;
  let scaling = scalingOf(of, state.isDouble);
  return (row) => {
    const multiplier = state.numbers[rowAt(state, row) + RowField.multiplier] as number;
    if (!Object.is(multiplier, of)) scaling = scalingOf(multiplier, state.isDouble);
    of = multiplier;
    return scaling;
  };
}

/** A node as it comes. Of 0 and −0 a kernel may have found either to be the largest: a state has 0. */
export function push(
  { fields, exponents, isFar }: Stack,
  i: number,
  from: Float64Array,
  at: number,
  scaling: Scaling,
): void {
  const begin = i * blockFields;
  const largestLogit = (from[at + top] as number) + 0;
  fields[begin + top] = largestLogit;
  fields[begin + sum] = from[at + sum] as number;
  fields[begin + untargeted] = from[at + untargeted] as number;
  exponents[i] = exponentOfTop(largestLogit, scaling);
  const hasNone = Number.isNaN(from[at + beside]) && Number.isNaN(from[at + nearSum]);
  isFar[i] = hasNone && !scaling.isDouble ? 1 : 0;
  if (isFar[i] === 1) return;
  fields[begin + beside] = from[at + beside] as number;
  fields[begin + wide] = from[at + wide] as number;
  fields[begin + largest] = from[at + largest] as number;
  fields[begin + nearSum] = from[at + nearSum] as number;
  fields[begin + nearLargest] = from[at + nearLargest] as number;
  fields[begin + nearTop] = (from[at + nearTop] as number) + 0;
}

/** A node of every row: that of row r is at begin + r · stride. */
export interface Source {
  readonly numbers: Float64Array;
  readonly begin: number;
  readonly stride: number;
}

/** A row's nodes, as a state has them. */
export function writeNodes(stack: Stack, count: number, numbers: Float64Array, at: number): void {
  for (let i = 0; i < count; i++) complete(stack, i);
  const { fields } = stack;
  for (let k = 0; k < count * blockFields; k++) numbers[at + k] = canonical(fields[k] as number);
}

/** The nodes of all rows of `state`, which has the rest: made of blocks that were just summed, or of others' nodes. */
export function joinInto(state: State, { after }: Joins, sources: readonly Source[]): void {
  const stack = stackOf(after.length);
  const scalings = scalingsOf(state);
  const { numbers } = state;
  for (let row = 0; row < state.rows; row++) {
    const scaling = scalings(row);
    let depth = 0;
    for (let i = 0; i < after.length; i++) {
      const { numbers: from, begin, stride } = sources[i] as Source;
      push(stack, depth, from, begin + row * stride, scaling);
      for (let joins = after[i] as number; joins > 0; joins--, depth--) join(stack, depth - 1, scaling);
      depth++;
    }
    writeNodes(stack, depth, numbers, nodesAt(state, row));
  }
}

/** A whole row's fields: its nodes from the last on, as BlockTree.total() adds them. Valid until the next call. */
export function totalOf(state: State, row: number, scaling: Scaling): Float64Array {
  const count = state.nodes.length;
  const stack = stackOf(count + 1);
  const { fields } = stack;
  if (count === 0) {
    fields.fill(0, 0, blockFields);
    fields[top] = negativeInfinity;
    fields[nearTop] = negativeInfinity;
  }
  const at = nodesAt(state, row);
  for (let i = 0; i < count; i++) push(stack, i, state.numbers, at + i * blockFields, scaling);
  for (let i = count - 2; i >= 0; i--) join(stack, i, scaling);
  if (count > 0) complete(stack, 0);
  return fields;
}
