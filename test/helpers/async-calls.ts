// Every asynchronous function as a table of calls, small and large, and results by their bits.

import { createHash } from 'node:crypto';
import { bytesOf, functionOf } from './calls.js';
import { Random } from './random.js';
import {
  argumentsOf,
  isLoss as isLossOf,
  markedOut as markedOutOf,
  newOut as newOutOf,
  outKey as outKeyOf,
  outLength as outLengthOf,
  signatureOf,
  signatures,
  syncName,
} from './signatures.js';

export { syncName } from './signatures.js';
export type Options = Record<string, unknown>;

export const functionsAsync = signatures.map(({ name }) => `${name}Async`);
export const isLoss = (name: string) => isLossOf(signatureOf(name));
export const isOfRows = (name: string) => !isLoss(name);
export const inputsOf = (name: string) => signatureOf(name).inputs;
/** What a result of the function is asked for with. */
export const outKey = (name: string) => outKeyOf(signatureOf(name));

const random = new Random(20261127);
/** Logits. */
export const large = (length: number) => random.normals(length, 3);

/** Rows and classes of a call that is no small one, on any backend. */
export const sizeOf = (name: string): [number, number] =>
  signatureOf(name).result === 'square' ? [24, 60] : [80, 1000];
/** How many elements `out` or `grad` has in such a call. */
export const outLength = (name: string) => outLengthOf(signatureOf(name), ...sizeOf(name));
/** An array for it. */
export const newOut = (name: string) => newOutOf(signatureOf(name), outLength(name));
export const markedOut = (name: string) => markedOutOf(signatureOf(name), outLength(name));

/** Calls with float arrays, and with the classes of rows where a function takes them. */
export const callOf = (name: string, inputs: readonly unknown[], classes: unknown, options: unknown) =>
  functionOf(name)(...argumentsOf(signatureOf(name), inputs, classes, options));

export interface LargeCall {
  readonly inputs: readonly Float32Array[];
  readonly classes: Int32Array;
  /** A function of the same arguments that computes at once, in copies. */
  readonly expected: unknown;
  readonly promise: Promise<unknown>;
}

/** A call that takes a job. `place`: makes the memory of the inputs. */
export function largeCall(
  name: string,
  options: Options = {},
  place: (data: Float32Array) => Float32Array = (data) => data,
): LargeCall {
  const [rows, length] = sizeOf(name);
  const values = inputsOf(name).map(() => large(rows * length));
  const classes = random.classes(rows, length);
  const all = { shape: [rows, length], ...(isLoss(name) && { grad: true }) };
  const { signal: _signal, transfer: _transfer, out: _out, grad: _grad, ...rest } = options;
  let expected: unknown;
  try {
    expected = bitsOf(
      callOf(
        syncName(name),
        values.map((data) => data.slice()),
        classes.slice(),
        { ...all, ...rest },
      ),
    );
  } catch {}
  const inputs = values.map(place);
  const promise = callOf(name, inputs, classes, { ...all, ...options }) as Promise<unknown>;
  return { inputs, classes, expected, promise };
}

/** A result with a hash in the place of each array: NaNs and zeros count by their bits, and a difference is short. */
export function bitsOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const hash = createHash('sha256').update(bytesOf(value)).digest('hex');
    return `${value.constructor.name}, ${value.byteLength} bytes: ${hash}`;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, bitsOf(field)]));
}

/** The array of a function's main result. */
export const arrayOf = (name: string, result: unknown): Float32Array =>
  (isLoss(name) ? (result as { grad: Float32Array }).grad : result) as Float32Array;

/** A view in memory that is shared between threads. */
export function sharedCopy(data: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}
