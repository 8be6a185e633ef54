// Two neighbouring nodes of a row become one, in the measure of the larger maximum (backends/js/scaled-sums.ts).

import { BlockField, blockFields } from '../../backends/block-fields.js';
import { exponentOf, offsetOf } from '../../backends/js/reference.js';
import { type Measure, weightIn } from '../../backends/js/scaled-sums.js';
import { type Scaling, scalingOf } from '../../backends/js/scaling.js';
import { type Joins, nodesAt, RowField, rowAt, type State } from './state.js';

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: negativeInfinity } = Number;

const measures = [
  { offset: 0, exponent: 0 },
  { offset: 0, exponent: 0 },
] as const;

function setMeasure(measure: { offset: number; exponent: number }, top: number, scaling: Scaling): void {
  measure.offset = offsetOf(top, scaling);
  measure.exponent = exponentOf(top - measure.offset, scaling);
}

/** Of nothing, whose measure may be far away, there is nothing in any other. */
const weightOf = (top: number, measure: Measure, own: Measure, scaling: Scaling): number =>
  top === negativeInfinity ? 0 : weightIn(measure, own, scaling);

/** Fields [a, …) become those of both nodes. Of rows that have a +Infinity: whether they have a NaN, too. */
function joinInfinite(f: Float64Array, a: number, b: number): void {
  const isNan = Number.isNaN(f[a + BlockField.sum]) || Number.isNaN(f[b + BlockField.sum]);
  for (let field = 0; field < blockFields; field++) f[a + field] = nan;
  f[a + BlockField.top] = infinity;
  f[a + BlockField.sum] = isNan ? nan : infinity;
}

/** Fields [a, …) become those of both nodes, of which b comes after a. */
export function join(f: Float64Array, a: number, b: number, scaling: Scaling): void {
  const topA = f[a] as number;
  const topB = f[b] as number;
  const top = topA >= topB ? topA : topB;
  if (top === infinity) {
    joinInfinite(f, a, b);
    return;
  }
  const [ofA, ofB] = measures;
  setMeasure(ofA, topA, scaling);
  setMeasure(ofB, topB, scaling);
  const measure = topA >= topB ? ofA : ofB;
  const weightA = weightOf(topA, measure, ofA, scaling);
  const weightB = weightOf(topB, measure, ofB, scaling);
  const sumA = f[a + BlockField.sum] as number;
  const sumB = f[b + BlockField.sum] as number;
  const wideA = f[a + BlockField.wide] as number;
  const wideB = f[b + BlockField.wide] as number;
  const { isDouble } = scaling;
  // All of the one with the smaller maximum is beside the larger.
  const besideA = topA >= topB ? (f[a + BlockField.beside] as number) : isDouble ? sumA : wideA;
  const besideB = topA >= topB ? (isDouble ? sumB : wideB) : (f[b + BlockField.beside] as number);
  const untargeted =
    (f[a + BlockField.untargeted] as number) * weightA + (f[b + BlockField.untargeted] as number) * weightB;
  let wide = wideA * weightA + wideB * weightB;
  let largest = 0;
  if (isDouble) {
    const largestA = (f[a + BlockField.largest] as number) * weightA;
    const largestB = (f[b + BlockField.largest] as number) * weightB;
    wide += Math.min(largestA, largestB);
    largest = Math.max(largestA, largestB);
  }
  f[a + BlockField.top] = top;
  f[a + BlockField.sum] = sumA * weightA + sumB * weightB;
  f[a + BlockField.beside] = besideA * weightA + besideB * weightB;
  f[a + BlockField.wide] = wide;
  f[a + BlockField.largest] = largest;
  f[a + BlockField.untargeted] = untargeted;
  joinNear(f, a, b);
}

/** As join of backends/js/near-zero.ts: NaN where either is, and where the sum is too large for a row near 0. */
function joinNear(f: Float64Array, a: number, b: number): void {
  const sum = (f[a + BlockField.nearSum] as number) + (f[b + BlockField.nearSum] as number);
  const isNear = sum <= 2;
  const isOfB = (f[b + BlockField.nearTop] as number) >= (f[a + BlockField.nearTop] as number);
  const of = isOfB ? b : a;
  f[a + BlockField.nearSum] = isNear ? sum : nan;
  f[a + BlockField.nearLargest] = isNear ? (f[of + BlockField.nearLargest] as number) : nan;
  f[a + BlockField.nearTop] = isNear ? (f[of + BlockField.nearTop] as number) : nan;
}

/** The scaling of each row. */
export function scalingsOf(state: State): (row: number) => Scaling {
  let scaling: Scaling | undefined;
  let of = nan;
  return (row) => {
    const multiplier = state.numbers[rowAt(state, row) + RowField.multiplier] as number;
    if (scaling === undefined || multiplier !== of) scaling = scalingOf(multiplier, state.isDouble);
    of = multiplier;
    return scaling;
  };
}

let stack = new Float64Array(64 * blockFields);

function reserve(nodes: number): Float64Array {
  if (stack.length < nodes * blockFields) stack = new Float64Array(nodes * blockFields);
  return stack;
}

const copy = (from: Float64Array, at: number, to: Float64Array, begin: number, count: number): void => {
  for (let i = 0; i < count; i++) to[begin + i] = from[at + i] as number;
};

/**
 * A row's nodes in `state`, made of others: node i of them is at source(i) in `from`. The same loop serves blocks that
 * were just summed and nodes of several states.
 */
export function joinInto(
  state: State,
  row: number,
  { after }: Joins,
  scaling: Scaling,
  from: (i: number) => Float64Array,
  source: (i: number) => number,
): void {
  const nodes = reserve(after.length);
  let depth = 0;
  for (let i = 0; i < after.length; i++) {
    copy(from(i), source(i), nodes, depth++ * blockFields, blockFields);
    for (let joins = after[i] as number; joins > 0; joins--, depth--)
      join(nodes, (depth - 2) * blockFields, (depth - 1) * blockFields, scaling);
  }
  copy(nodes, 0, state.numbers, nodesAt(state, row), depth * blockFields);
}

/** A whole row's fields: its nodes from the last on, as BlockTree.total() adds them. Valid until the next call. */
export function totalOf(state: State, row: number, scaling: Scaling): Float64Array {
  const count = state.nodes.length;
  const nodes = reserve(count + 1);
  copy(state.numbers, nodesAt(state, row), nodes, 0, count * blockFields);
  if (count === 0) {
    nodes.fill(0, 0, blockFields);
    nodes[BlockField.top] = negativeInfinity;
    nodes[BlockField.nearTop] = negativeInfinity;
  }
  for (let i = count - 2; i >= 0; i--) join(nodes, i * blockFields, (i + 1) * blockFields, scaling);
  return nodes;
}
