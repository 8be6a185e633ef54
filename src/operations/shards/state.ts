// What is known of rows of which some classes are here and others elsewhere: numbers in a Float64Array, to be sent, kept
// and merged. docs/sharding.md has the fields.
//
// A row is summed in blocks of 4096, and the blocks' sums as a binary tree (backends/js/tree.ts). A state has the nodes of
// that tree that its classes fill, so that merging makes the nodes above them, in whatever order states are merged.

import { BlockField, blockFields } from '../../backends/block-fields.js';
import { scalingOf } from '../../backends/js/scaling.js';
import { blockSize } from '../../backends/js/tree.js';
import { formatValue, isArray, rangeError, typeError } from '../../errors.js';
import { allocate } from '../../problem/dtypes.js';
import { maximumClasses } from '../../problem/rows.js';
import { allocateOrThrow, copyElements, kindOf, lengthOf, rawLengthOf } from '../../typed-arrays.js';

/** 'softmax' has no number; this one begins every state. */
const magic = 0x736d78;
const version = 1;

const headerFields = 7;
/** Of a row, before its nodes. */
export const RowField = { multiplier: 0, argMax: 1, target: 2, targetLogit: 3 } as const;
const rowFields = 4;

/** Classes [begin, end). */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** What a state says of all of its rows. */
export interface Head {
  readonly isDouble: boolean;
  readonly rows: number;
  readonly hasTarget: boolean;
  /** Of whole rows; 0: it is not known. */
  readonly classes: number;
  readonly nodes: readonly Range[];
}

/** A state, in memory of its own. */
export interface State extends Head {
  readonly numbers: Float64Array;
  /** Where row 0 begins. */
  readonly begin: number;
  /** Numbers of a row. */
  readonly stride: number;
}

/** Where a row's fields begin. */
export const rowAt = ({ begin, stride }: State, row: number): number => begin + row * stride;
/** Where its first node's do. */
export const nodesAt = (state: State, row: number): number => rowAt(state, row) + rowFields;

export function newState(head: Head): State {
  const { isDouble, rows, hasTarget, classes, nodes } = head;
  const begin = headerFields + 2 * nodes.length;
  const stride = rowFields + blockFields * nodes.length;
  const numbers = allocate('float64', begin + rows * stride, false).data as Float64Array;
  numbers[0] = magic;
  numbers[1] = version;
  numbers[2] = isDouble ? 64 : 32;
  numbers[3] = rows;
  numbers[4] = nodes.length;
  numbers[5] = hasTarget ? 1 : 0;
  numbers[6] = classes;
  for (let i = 0, at = headerFields; i < nodes.length; i++, at += 2) {
    const node = nodes[i] as Range;
    numbers[at] = node.begin;
    numbers[at + 1] = node.end;
  }
  // Not { ...head }: V8 makes a hidden class for each, which takes a microsecond.
  return { isDouble, rows, hasTarget, classes, nodes, numbers, begin, stride };
}

/** The nodes that others make, by the places of those. */
export interface Joins {
  readonly nodes: readonly Range[];
  /** Where each of the nodes is in the end. */
  readonly places: readonly number[];
  /** What is joined, in this order: two places at a time, of which the first has the result. */
  readonly pairs: readonly number[];
}

const sizeOf = ({ begin, end }: Range): number => end - begin;

/** Whether two neighbours are the children of a node of the tree. */
function areSiblings(left: Range, right: Range): boolean {
  const size = sizeOf(left);
  if (size !== sizeOf(right) || left.end !== right.begin || left.begin % (2 * size) !== 0) return false;
  return size % blockSize === 0 && Number.isInteger(Math.log2(size / blockSize));
}

/** Of nodes in the order of their classes. */
export function joinsOf(ranges: readonly Range[]): Joins {
  const nodes: Range[] = [];
  const places: number[] = [];
  const pairs: number[] = [];
  for (let i = 0; i < ranges.length; i++) {
    let right = ranges[i] as Range;
    let place = i;
    for (let left = nodes.at(-1); left && areSiblings(left, right); left = nodes.at(-1)) {
      right = { begin: left.begin, end: right.end };
      pairs.push(places.at(-1) as number, place);
      place = places.pop() as number;
      nodes.pop();
    }
    nodes.push(right);
    places.push(place);
  }
  return { nodes, places, pairs };
}

/** The nodes of classes that come as blocks: one, where they do not begin where a block of the row does. */
export function nodesOf(begin: number, length: number): Range[] {
  const end = begin + length;
  const nodes: Range[] = [];
  for (let next = begin; next < end; ) {
    let size = begin % blockSize === 0 ? blockSize : length;
    while (size < length && next % (2 * size) === 0 && next + 2 * size <= end) size *= 2;
    const node = { begin: next, end: Math.min(next + size, end) };
    nodes.push(node);
    next = node.end;
  }
  return nodes;
}

const fail = (argument: string, problem: string, value?: unknown) =>
  rangeError('ERR_STATE', `${argument} ${problem}`, { argument, value });

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function checkHead(argument: string, numbers: Float64Array): State {
  const [first, ofVersion, bits] = [numbers[0], numbers[1], numbers[2]];
  const [rows = 0, count = 0, hasTarget, classes = -1] = [numbers[3], numbers[4], numbers[5], numbers[6]];
  if (first !== magic) throw fail(argument, 'is no state that partial made', first);
  if (ofVersion !== version)
    throw fail(argument, `is a state of version ${ofVersion}, not ${version}`, ofVersion);
  const isHead = (bits === 32 || bits === 64) && (hasTarget === 0 || hasTarget === 1) && isCount(classes);
  const begin = headerFields + 2 * count;
  const stride = rowFields + blockFields * count;
  // Of a subclass it may be anything that the array says.
  const length = rawLengthOf(numbers);
  if (!isHead || !isCount(rows) || !isCount(count) || length !== begin + rows * stride)
    throw fail(argument, 'is a state that was cut short or changed', length);
  let last = 0;
  const nodes: Range[] = [];
  for (let at = headerFields; at < begin; at += 2) {
    const node = { begin: numbers[at] as number, end: numbers[at + 1] as number };
    if (!isCount(node.begin) || !isCount(node.end) || node.begin < last || node.end <= node.begin)
      throw fail(
        argument,
        `has classes from ${node.begin} to ${node.end}, which are none or are not in order`,
        nodes.length,
      );
    last = node.end;
    nodes.push(node);
  }
  if (classes > 0 && last > classes)
    throw fail(argument, `has classes up to ${last}, but is of ${classes}`, last);
  return { isDouble: bits === 64, rows, hasTarget: hasTarget === 1, classes, nodes, numbers, begin, stride };
}

/** In its own measure the largest exponential is near 1, and there are no more than 2³¹ of them. */
const leastSum = 2 ** -8;
const mostSum = 2 ** 40;

/** Whether a sum may be of a row with that maximum: kernels take logarithms of no others. */
function isSumOf(sum: number, top: number): boolean {
  if (Number.isNaN(sum)) return !Number.isNaN(top);
  if (Math.abs(top) === Number.POSITIVE_INFINITY) return sum === (top < 0 ? 0 : top);
  return sum >= leastSum && sum <= mostSum && !Number.isNaN(top);
}

/** Of some of the exponentials. NaN: there is none. */
const isNoneOrSum = (sum: number): boolean => !(sum < 0 || sum > mostSum);

/** Whether fields are of a node: a maximum, and sums of exponentials that go with it. */
function isNode(numbers: Float64Array, at: number, isDouble: boolean): boolean {
  const top = numbers[at + BlockField.top] as number;
  // Not a loop: that takes twice as long.
  return (
    isSumOf(numbers[at + BlockField.sum] as number, top) &&
    // As logits are: a float, unless they are doubles.
    (isDouble || Math.fround(top) === top) &&
    isNoneOrSum(numbers[at + BlockField.beside] as number) &&
    isNoneOrSum(numbers[at + BlockField.wide] as number) &&
    isNoneOrSum(numbers[at + BlockField.largest] as number) &&
    isNoneOrSum(numbers[at + BlockField.untargeted] as number) &&
    isNoneOrSum(numbers[at + BlockField.nearSum] as number) &&
    isNoneOrSum(numbers[at + BlockField.nearLargest] as number)
  );
}

/** −1: there is none. */
const isClass = (value: number): boolean =>
  value >= -1 && value < maximumClasses && Math.floor(value) === value;

/** Whether rows are scaled by a negative number, which −0 is, too: all rows are, or none. */
const isNegative = (multiplier: number): boolean => multiplier < 0 || Object.is(multiplier, -0);

function isRow({ numbers, nodes, begin, isDouble }: State, at: number): boolean {
  const multiplier = numbers[at + RowField.multiplier] as number;
  const isHead =
    !Number.isNaN(multiplier) &&
    isNegative(multiplier) === isNegative(numbers[begin + RowField.multiplier] as number) &&
    isClass(numbers[at + RowField.argMax] as number) &&
    isClass(numbers[at + RowField.target] as number);
  for (let i = 0, from = at + rowFields; i < nodes.length; i++, from += blockFields)
    if (!isNode(numbers, from, isDouble)) return false;
  return isHead;
}

/** The numbers of a state, or of its bytes, which may be anywhere in their buffer. */
function numbersOf(argument: string, given: unknown): Float64Array {
  const kind = kindOf(given);
  const isBytes = kind === 'Uint8Array' && rawLengthOf(given) % 8 === 0;
  if (kind !== 'Float64Array' && !isBytes) {
    const message = `${argument} must be a Float64Array that partial or mergePartials made, or its bytes, got ${formatValue(given)}`;
    throw typeError('ERR_STATE', message, { argument, value: given });
  }
  const length = lengthOf(argument, given);
  if (!isBytes) return given as Float64Array;
  const bytes = allocateOrThrow(length / 8, () => new Uint8Array(length));
  copyElements(given, bytes);
  return new Float64Array(bytes.buffer);
}

/** What a caller gives as a state, where it is. */
export function readState(argument: string, given: unknown): State {
  const state = checkHead(argument, numbersOf(argument, given));
  for (let row = 0; row < state.rows; row++) {
    if (isRow(state, rowAt(state, row))) continue;
    const message = `${argument} has numbers in row ${row} that no state has`;
    throw rangeError('ERR_STATE', message, { argument, row });
  }
  return state;
}

/** The argument `parts`: each of them, and their number, is read once. */
export function readParts<Part>(
  parts: unknown,
  wanted: string,
  read: (argument: string, part: unknown) => Part,
): Part[] {
  if (!isArray(parts)) {
    const message = `parts must be ${wanted}, got ${formatValue(parts)}`;
    throw typeError('ERR_STATE', message, { argument: 'parts', value: parts });
  }
  const found: Part[] = [];
  const { length } = parts;
  for (let i = 0; i < length; i++) found.push(read(`parts[${i}]`, parts[i]));
  return found;
}

const missing = (argument: string, begin: number, end: number) =>
  fail(argument, `has no classes from ${begin} to ${end - 1}: a shard is missing`, begin);

/** All classes of the rows must be there, from the first to the last, if it is known. */
export function requireWhole(argument: string, { nodes, classes }: Head): void {
  let end = 0;
  for (const node of nodes) {
    if (node.begin !== end) throw missing(argument, end, node.begin);
    end = node.end;
  }
  if (classes > 0 && classes !== end) throw missing(argument, end, classes);
}

/** How many classes a whole state has. */
export const classesOf = ({ nodes }: Head): number => nodes.at(-1)?.end ?? 0;

/** What has no limit at temperature 0. */
export function requireNoLimit(argument: string, state: State): void {
  for (let row = 0; row < state.rows; row++)
    if (scalingOf(state.numbers[rowAt(state, row) + RowField.multiplier] as number, state.isDouble).isLimit)
      throw rangeError(
        'ERR_TEMPERATURE',
        `${argument} is of temperature 0 in row ${row}, which has no limit here`,
        {
          argument,
          row,
        },
      );
}
