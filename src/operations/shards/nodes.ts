// Two neighbouring nodes of a row become one, in the measure of the larger maximum (backends/js/scaled-sums.ts). A node is
// blockFields numbers, wherever they are.

import { BlockField, blockFields, fieldsBeforeBlocks } from '../../backends/block-fields.js';
import { exponentOf, modestDistance, offsetOf, powerOfTwo } from '../../backends/js/reference.js';
import { weightIn } from '../../backends/js/scaled-sums.js';
import { canonical, type Scaling, scalingOf } from '../../backends/js/scaling.js';
import { blockSize } from '../../backends/js/tree.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { type Joins, nodesAt, type Range, RowField, rowAt, type State } from './state.js';

// Constants of this module: of the class's own V8 knows no type until they were read once.
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: negativeInfinity } = Number;
const { top, sum, beside, wide, largest, untargeted, nearSum, nearLargest, nearTop } = BlockField;

/** What sums of a node are multiplied by to be in the measure of another, whose maximum is at least as large. */
function weightOf(own: number, other: number, scaling: Scaling): number {
  // Of nothing, whose measure may be far away, there is nothing in any other.
  if (own === negativeInfinity) return 0;
  const [offset, toOffset] = [offsetOf(own, scaling), offsetOf(other, scaling)];
  const exponent = exponentOf(own - offset, scaling);
  const toExponent = exponentOf(other - toOffset, scaling);
  return weightIn({ offset: toOffset, exponent: toExponent }, { offset, exponent }, scaling);
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

/** Of float32, as most are: neither node can be of a log-sum-exp near 0, nor can both. */
const areFar = (f: Float64Array, a: number, b: number): boolean =>
  Number.isNaN(f[a + beside]) &&
  Number.isNaN(f[b + beside]) &&
  Number.isNaN(f[a + nearSum]) &&
  Number.isNaN(f[b + nearSum]);

/** The node at `a` becomes that of it and of the next, which is at `b`. */
export function join(f: Float64Array, a: number, b: number, scaling: Scaling): void {
  const topA = f[a + top] as number;
  const topB = f[b + top] as number;
  const isOfA = topA >= topB;
  const distance = isOfA ? modestDistance(topB, topA, scaling) : modestDistance(topA, topB, scaling);
  if (Number.isNaN(distance) || !areFar(f, a, b)) {
    joinAny(f, a, b, scaling);
    return;
  }
  const weight = powerOfTwo(distance);
  joinSums(f, a, b, isOfA, isOfA ? 1 : weight, isOfA ? weight : 1);
}

/** The same of any nodes. */
function joinAny(f: Float64Array, a: number, b: number, scaling: Scaling): void {
  const topA = f[a + top] as number;
  const topB = f[b + top] as number;
  if (topA === infinity || topB === infinity) {
    joinInfinite(f, a, b, scaling.isDouble);
    return;
  }
  const isOfA = topA >= topB;
  const weightA = isOfA ? 1 : weightOf(topA, topB, scaling);
  const weightB = isOfA ? weightOf(topB, topA, scaling) : 1;
  joinBeside(f, a, b, isOfA, weightA, weightB, scaling);
  joinNear(f, a, b);
  joinSums(f, a, b, isOfA, weightA, weightB);
}

function joinSums(
  f: Float64Array,
  a: number,
  b: number,
  isOfA: boolean,
  weightA: number,
  weightB: number,
): void {
  f[a + top] = f[isOfA ? a + top : b + top] as number;
  f[a + sum] = (f[a + sum] as number) * weightA + (f[b + sum] as number) * weightB;
  f[a + untargeted] = (f[a + untargeted] as number) * weightA + (f[b + untargeted] as number) * weightB;
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

/** The fields of a node, to where others were. */
export function copyNode(from: Float64Array, at: number, to: Float64Array, toAt: number): void {
  // Not a loop: that takes twice as long.
  to[toAt] = from[at] as number;
  to[toAt + 1] = from[at + 1] as number;
  to[toAt + 2] = from[at + 2] as number;
  to[toAt + 3] = from[at + 3] as number;
  to[toAt + 4] = from[at + 4] as number;
  to[toAt + 5] = from[at + 5] as number;
  to[toAt + 6] = from[at + 6] as number;
  to[toAt + 7] = from[at + 7] as number;
  to[toAt + 8] = from[at + 8] as number;
}

/** The same, to a state. Of 0 and −0 a kernel may have found either to be the largest: a state has 0. */
export function putNode(from: Float64Array, at: number, to: Float64Array, toAt: number): void {
  // Not a loop: that takes twice as long.
  to[toAt] = canonical((from[at] as number) + 0);
  to[toAt + 1] = canonical((from[at + 1] as number) + 0);
  to[toAt + 2] = canonical((from[at + 2] as number) + 0);
  to[toAt + 3] = canonical((from[at + 3] as number) + 0);
  to[toAt + 4] = canonical((from[at + 4] as number) + 0);
  to[toAt + 5] = canonical((from[at + 5] as number) + 0);
  to[toAt + 6] = canonical((from[at + 6] as number) + 0);
  to[toAt + 7] = canonical((from[at + 7] as number) + 0);
  to[toAt + 8] = canonical((from[at + 8] as number) + 0);
}

/** Blocks in [at, end), as many as it may be, become one node, at `at`. */
export function joinRun(f: Float64Array, at: number, end: number, scaling: Scaling): void {
  for (let half = blockFields; at + half < end; half *= 2)
    for (let a = at; a + half < end; a += 2 * half) join(f, a, a + half, scaling);
}

/** The nodes of all rows of `state`, which has the rest, of blocks that were just summed, `count` fields a row: over them. */
export function joinBlocks(state: State, blocks: Float64Array, count: number): void {
  if (count === fieldsBeforeBlocks + blockFields) {
    putBlocks(state, blocks, count);
    return;
  }
  const scalings = scalingsOf(state);
  const { numbers, nodes } = state;
  for (let row = 0; row < state.rows; row++) {
    const scaling = scalings(row);
    let at = row * count + fieldsBeforeBlocks;
    let to = nodesAt(state, row);
    for (let node = 0; node < nodes.length; node++, to += blockFields) {
      const { begin, end } = nodes[node] as Range;
      const next = at + Math.ceil((end - begin) / blockSize) * blockFields;
      joinRun(blocks, at, next, scaling);
      putNode(blocks, at, numbers, to);
      at = next;
    }
  }
}

/** The same of rows of one block: of many short rows it takes as long as their sums. */
function putBlocks({ rows, numbers, begin, stride }: State, blocks: Float64Array, count: number): void {
  let to = begin + stride - blockFields;
  for (let row = 0, at = fieldsBeforeBlocks; row < rows; row++, at += count, to += stride)
    putNode(blocks, at, numbers, to);
}

/** As many nodes are kept for the next call. */
const mostKept = 2 ** 12;
let kept = new Float64Array(64 * blockFields);

/** Memory for nodes, until the next call. */
function scratchOf(nodes: number): Float64Array {
  const count = nodes * blockFields;
  if (count <= kept.length) return kept;
  const fields = allocateOrThrow(count, () => new Float64Array(count));
  if (nodes <= mostKept) kept = fields;
  return fields;
}

/** A node of every row: that of row r is at begin + r · stride. */
export interface Source {
  readonly numbers: Float64Array;
  readonly begin: number;
  readonly stride: number;
}

/** The nodes of all rows of `state`, which has the rest, of others' nodes. */
export function joinInto(state: State, { places, pairs }: Joins, sources: readonly Source[]): void {
  const fields = scratchOf(sources.length);
  const scalings = scalingsOf(state);
  const { numbers } = state;
  for (let row = 0; row < state.rows; row++) {
    const scaling = scalings(row);
    for (let i = 0; i < sources.length; i++) {
      const { numbers: from, begin, stride } = sources[i] as Source;
      copyNode(from, begin + row * stride, fields, i * blockFields);
    }
    for (let i = 0; i < pairs.length; i += 2)
      join(fields, (pairs[i] as number) * blockFields, (pairs[i + 1] as number) * blockFields, scaling);
    const to = nodesAt(state, row);
    for (let i = 0; i < places.length; i++)
      putNode(fields, (places[i] as number) * blockFields, numbers, to + i * blockFields);
  }
}

/** A whole row's fields: its nodes from the last on, as BlockTree.total() adds them. Valid until the next call. */
export function totalOf(state: State, row: number, scaling: Scaling): Float64Array {
  const count = state.nodes.length;
  const fields = scratchOf(count + 1);
  if (count === 0) {
    fields.fill(0, 0, blockFields);
    fields[top] = negativeInfinity;
    fields[nearTop] = negativeInfinity;
  }
  const begin = nodesAt(state, row);
  const last = (count - 1) * blockFields;
  for (let at = 0; at <= last; at += blockFields) copyNode(state.numbers, begin + at, fields, at);
  for (let at = last - blockFields; at >= 0; at -= blockFields) join(fields, at, at + blockFields, scaling);
  return fields;
}
