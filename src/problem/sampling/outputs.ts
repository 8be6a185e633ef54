// Where the results of sample go: new arrays, or those of the option `out`.

import type { DType, RowResults } from '../../backends/kernels.js';
import type { SampleOutputs } from '../../backends/sampling.js';
import { formatValue, isArray, rangeError, typeError } from '../../errors.js';
import { allocateOrThrow, copyElements, kindOf, lengthOf, requireLength } from '../../typed-arrays.js';
import { type Held, requireDistinct, requireNoOverlap, requireReach, scatter } from '../layout-memory.js';
import type { Destination } from '../outputs.js';
import { type RowProblem, shapeWithoutAxis } from '../rows.js';
import { formatShape, isSameShape, type Sizes } from '../shapes.js';
import {
  inContainerOf,
  type Operand,
  readTensor,
  requireOwnShape,
  shapeError,
  type TensorFields,
} from '../tensors.js';

const names = ['tokens', 'logProbs', 'rawLogProbs', 'kept', 'topTokens', 'topLogProbs'] as const;
export type OutName = (typeof names)[number];

const isIntegers = (name: OutName): boolean => name === 'tokens' || name === 'kept' || name === 'topTokens';
const isOfTop = (name: OutName): boolean => name.startsWith('top');

/** An array or tensor of the caller's. */
interface GivenOut {
  readonly name: OutName;
  readonly argument: string;
  readonly given: unknown;
  readonly data: unknown;
  readonly tensor: TensorFields | undefined;
}

/** Undefined: all results are new. */
export type GivenOuts = readonly GivenOut[] | undefined;

export function readOuts(out: unknown): GivenOuts {
  if (out === undefined) return undefined;
  if (typeof out !== 'object' || out === null || isArray(out) || ArrayBuffer.isView(out)) {
    const message = `out must be an object of arrays: { ${names.join(', ')} }, got ${formatValue(out)}`;
    throw typeError('ERR_OPTION', message, { argument: 'out', value: out });
  }
  for (const name in out)
    if (Object.hasOwn(out, name) && !(names as readonly string[]).includes(name)) {
      const message = `out has no field ${JSON.stringify(name.slice(0, 40))}: its fields are ${names.join(', ')}`;
      throw typeError('ERR_OPTION', message, { argument: 'out' });
    }
  const outs: GivenOut[] = [];
  // All of them before any is checked, as the plain calls read them.
  const all = names.map((name) => (out as Readonly<Record<string, unknown>>)[name]);
  for (const [i, name] of names.entries()) {
    const given = all[i];
    if (given === undefined) continue;
    const argument = `out.${name}`;
    const tensor = kindOf(given) === undefined ? readTensor(argument, given, true, true) : undefined;
    outs.push({ name, argument, given, data: tensor ? tensor.data : given, tensor });
  }
  return outs;
}

/** What a result is of. */
export interface OutputSizes {
  readonly rows: RowProblem;
  readonly count: number;
  /** Undefined: tokens have the shape of the rows. */
  readonly countAxis: number | undefined;
  readonly top: number;
}

const sizeOf = (name: OutName, { rows, count, top }: OutputSizes): number =>
  rows.rowCount * (name === 'kept' ? 1 : isOfTop(name) ? top : count);

function shapeOf(name: OutName, { rows, countAxis, top }: OutputSizes): Sizes | undefined {
  const shape = shapeWithoutAxis(rows);
  const last = name === 'kept' ? undefined : isOfTop(name) ? top : countAxis;
  return shape && last !== undefined ? [...shape, last] : shape;
}

/** A result: an array of the caller's, or what a new one is like. */
export interface Out {
  readonly name: OutName;
  readonly elements: number;
  readonly shape: Sizes | undefined;
  readonly given: GivenOut | undefined;
}

/** The results that are wanted: all of them, or with `out` the tokens and those that it has. */
export function outsOf(given: GivenOuts, logits: Operand, sizes: OutputSizes): Out[] {
  const outs: Out[] = [];
  for (const name of names) {
    const own = given?.find((each) => each.name === name);
    if (own && isOfTop(name) && sizes.top === 0) {
      const message = `${own.argument} needs the option top, which says how many tokens it has`;
      throw rangeError('ERR_OPTION', message, { argument: own.argument });
    }
    const isWanted = own !== undefined || name === 'tokens' || (!given && (!isOfTop(name) || sizes.top > 0));
    if (!isWanted) continue;
    const out = { name, elements: sizeOf(name, sizes), shape: shapeOf(name, sizes), given: own };
    if (own) requireFit(own, out, logits);
    outs.push(out);
  }
  return outs;
}

const kindFor = (name: OutName, { dtype }: Operand) =>
  isIntegers(name) ? 'Int32Array' : dtype === 'float64' ? 'Float64Array' : 'Float32Array';

function requireFit({ name, argument, data, tensor }: GivenOut, out: Out, logits: Operand): void {
  const wanted = kindFor(name, logits);
  if (kindOf(data) !== wanted) {
    const message = `${argument} must be a ${wanted}, got ${formatValue(data)}`;
    throw typeError('ERR_DTYPE', message, { argument, value: data });
  }
  requireLength(argument, data, out.elements, 'the result');
  if (tensor === undefined) return;
  requireOwnShape(argument, data, tensor);
  if (tensor.layout) {
    requireReach(argument, tensor.layout);
    requireDistinct(argument, tensor.layout);
  }
  if (out.shape === undefined || isSameShape(tensor.shape, out.shape)) return;
  throw shapeError(argument, tensor, `is not the shape ${formatShape(out.shape)} of the result`);
}

/** What a call reads; undefined where an argument has no memory. */
export type Read = readonly [argument: string, held: Held | undefined];

/** No result may be in memory that is read, or where another result goes. */
export function requireApart(outs: readonly Out[], read: readonly Read[]): void {
  for (let i = 0; i < outs.length; i++) {
    const own = outs[i]?.given;
    if (own === undefined) continue;
    for (const [argument, held] of read) if (held) requireNoOverlap(own.argument, own, argument, held, false);
    for (let j = 0; j < i; j++) {
      const other = outs[j]?.given;
      if (other) requireNoOverlap(own.argument, own, other.argument, other, false);
    }
  }
}

/** The same as outputs of a call: a transfer of the logits must not take their memory. */
export const destinationsOf = (outs: readonly Out[]): Destination[] =>
  outs.flatMap(({ given }) =>
    given ? [{ argument: given.argument, operand: given } as unknown as Destination] : [],
  );

type Results = Int32Array | RowResults;

/** The memory of results while they are computed, and what becomes of them. */
export interface OutMemory {
  readonly outputs: SampleOutputs;
  readonly result: () => Record<string, unknown>;
}

/** `isPrivate`: the caller's arrays are written when all is done. */
export function outMemory(outs: readonly Out[], logits: Operand, isPrivate: boolean): OutMemory {
  const memory: Partial<Record<OutName, Results>> = {};
  for (const { name, elements, given } of outs)
    memory[name] =
      given && !isPrivate ? (given.data as Results) : newResults(kindFor(name, logits), elements);
  return {
    outputs: memory as unknown as SampleOutputs,
    result() {
      if (isPrivate) for (const { given, elements } of outs) if (given) requireRoom(given, elements);
      const results: Record<string, unknown> = {};
      for (const out of outs)
        results[out.name] = delivered(out, memory[out.name] as Results, logits, isPrivate);
      return results;
    },
  };
}

function newResults(kind: string, length: number): Results {
  return allocateOrThrow(length, () => {
    if (kind === 'Int32Array') return new Int32Array(length);
    return kind === 'Float64Array' ? new Float64Array(length) : new Float32Array(length);
  });
}

/** The caller's array may have changed since it was checked. */
function requireRoom({ argument, data, tensor }: GivenOut, elements: number): void {
  if (tensor?.layout) {
    requireReach(argument, tensor.layout);
    return;
  }
  const length = lengthOf(argument, data);
  if (length >= elements) return;
  const message = `${argument} has ${length} elements now, but the result has ${elements}`;
  throw rangeError('ERR_SHAPE', message, { argument, value: length });
}

function delivered({ given, shape }: Out, results: Results, logits: Operand, isPrivate: boolean): unknown {
  if (given === undefined) {
    const dtype =
      results instanceof Int32Array ? 'int32' : logits.dtype === 'float64' ? 'float64' : 'float32';
    // Tokens are no floats, but go into the same containers.
    return inContainerOf(logits, { data: results as Float32Array, dtype: dtype as DType }, shape);
  }
  if (isPrivate) copyElements(results, given.data);
  if (given.tensor?.layout) scatter(given.data, given.tensor.layout);
  return given.given;
}
