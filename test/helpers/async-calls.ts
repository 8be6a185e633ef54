// Every asynchronous function as a table of calls, small and large, and results by their bits.

import { createHash } from 'node:crypto';
import * as api from 'softmax-native';
import { bytesOf } from './calls.js';
import { Random } from './random.js';

export type Options = Record<string, unknown>;
type Name =
  | 'softmaxAsync'
  | 'logSoftmaxAsync'
  | 'logSumExpAsync'
  | 'softmaxBackwardAsync'
  | 'logSoftmaxBackwardAsync'
  | 'softmaxJacobianAsync'
  | 'crossEntropyAsync'
  | 'nllLossAsync'
  | 'distillationLossAsync';

/** Array arguments of floats that have the shape of the rows. */
const inputsOf: Record<Name, readonly string[]> = {
  softmaxAsync: ['x'],
  logSoftmaxAsync: ['x'],
  logSumExpAsync: ['x'],
  softmaxBackwardAsync: ['gradOutput', 'output'],
  logSoftmaxBackwardAsync: ['gradOutput', 'output'],
  softmaxJacobianAsync: ['output'],
  crossEntropyAsync: ['logits'],
  nllLossAsync: ['logProbs'],
  distillationLossAsync: ['studentLogits', 'teacherLogits'],
};
export const functionsAsync = Object.keys(inputsOf) as Name[];
export const isLoss = (name: Name) => /Entropy|Loss/.test(name);
export const isOfRows = (name: Name) => !isLoss(name);
/** What a result of the function is asked for with. */
export const outKey = (name: Name) => (isLoss(name) ? 'grad' : 'out');

const random = new Random(20261127);
/** Logits. */
export const large = (length: number) => random.normals(length, 3);

/** Rows and classes of a call that is no small one, on any backend. */
export const sizeOf = (name: Name) =>
  (name === 'softmaxJacobianAsync' ? [24, 60] : [80, 1000]) as [number, number];
/** How many elements `out` or `grad` has in such a call. */
export const outLength = (name: Name) => {
  const [rows, length] = sizeOf(name);
  if (name === 'logSumExpAsync') return rows;
  return name === 'softmaxJacobianAsync' ? rows * length * length : rows * length;
};

type AnyFunction = (...args: unknown[]) => unknown;
const functionOf = (name: string) => (api as unknown as Record<string, AnyFunction>)[name] as AnyFunction;

/** Calls with float arrays, and with the classes of rows where a function takes them. */
export const callOf = (name: string, inputs: readonly unknown[], classes: unknown, options: unknown) => {
  const isByClass = /^crossEntropy|^nllLoss/.test(name);
  return functionOf(name)(...inputs, ...(isByClass ? [classes] : []), options);
};
export const syncName = (name: Name) => name.slice(0, -5);

export interface LargeCall {
  readonly inputs: readonly Float32Array[];
  readonly classes: Int32Array;
  /** A function of the same arguments that computes at once, in copies. */
  readonly expected: unknown;
  readonly promise: Promise<unknown>;
}

/** A call that takes a job. `place`: makes the memory of the inputs. */
export function largeCall(
  name: Name,
  options: Options = {},
  place: (data: Float32Array) => Float32Array = (data) => data,
): LargeCall {
  const [rows, length] = sizeOf(name);
  const values = inputsOf[name].map(() => large(rows * length));
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
export const arrayOf = (name: Name, result: unknown): Float32Array =>
  (isLoss(name) ? (result as { grad: Float32Array }).grad : result) as Float32Array;

/** A view in memory that is shared between threads. */
export function sharedCopy(data: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}
