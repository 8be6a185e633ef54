// Every function as a table of calls, and the check of an error: its type, code, details, message, nothing written.

import type { SoftmaxErrorCode, SoftmaxErrorDetails } from 'softmax-native';
import * as api from 'softmax-native';
import { expect } from 'vitest';
import { isShownAs, notPlain } from './plain-errors.js';
import {
  argumentsOf,
  isLoss,
  mainInput,
  markedOut as markedOutOf,
  outKey as outKeyOf,
  outLength as outLengthOf,
  type Signature,
  signatures,
  takes,
} from './signatures.js';

export type Options = Record<string, unknown> | undefined;
export const any = (value: unknown) => value as never;
export type AnyFunction = (...args: unknown[]) => unknown;

/** A function of the package, whatever it is given. */
export const functionOf = (name: string): AnyFunction =>
  (api as unknown as Record<string, AnyFunction>)[name] as AnyFunction;

export interface Fn {
  readonly name: string;
  readonly signature: Signature;
  /** Array arguments that may be wrong; the last one is that whose shape the others must have. */
  readonly inputs: readonly string[];
  /** With one input, `value` for `argument`, and the other ones good: zeros of `length`. */
  readonly call: (argument: string, value: unknown, options?: Options, length?: number) => unknown;
}

export const zeros = (length: number) => new Float32Array(length);

function fnOf(signature: Signature): Fn {
  const { name } = signature;
  const main = mainInput(signature);
  return {
    name,
    signature,
    inputs: [...signature.inputs.filter((input) => input !== main), main],
    call(argument, value, options, length = 6) {
      const inputs = signature.inputs.map((input) => (input === argument ? value : zeros(length)));
      return functionOf(name)(...argumentsOf(signature, inputs, new Int32Array(1), options));
    },
  };
}

export const functions = signatures.map(fnOf);
const having = (test: (signature: Signature) => boolean) =>
  functions.filter(({ signature }) => test(signature));
const fnNamed = (name: string) => functions.find((fn) => fn.name === name) as Fn;

export const lossOf = (logits: unknown, target: unknown, options?: Options) =>
  api.crossEntropy(any(logits), any(target), any(options));

export const losses = having(isLoss);
export const loss = fnNamed('crossEntropy');
export const nll = fnNamed('nllLoss');
export const distillation = fnNamed('distillationLoss');
const ofRows = having((signature) => !isLoss(signature) && signature.result !== 'square');
export const forward = ofRows.filter(({ inputs }) => inputs.length === 1);
export const backward = ofRows.filter(({ inputs }) => inputs.length > 1);
export const squares = having(({ result }) => result === 'square');
/** Several arrays of floats, which must fit each other. */
export const ofSeveral = functions.filter(({ inputs }) => inputs.length > 1);
export const scaled = having((signature) => takes(signature, 'temperature'));
/** Whose results are floats. */
export const withOut = having((signature) => takes(signature, 'out') && !signature.holds);
export const withIntegers = having(({ holds }) => holds !== undefined);
/** What the gradient or result of a function is asked for with. */
export const outKey = ({ signature }: Fn) => outKeyOf(signature);
/** How many elements that has, with one row of 6, or with two rows of 3. */
export const outLength = ({ signature }: Fn, rows = 1) => outLengthOf(signature, rows, 6 / rows);
/** An array for it, of what it holds. */
export const markedOut = (fn: Fn, rows = 1) => markedOutOf(fn.signature, outLength(fn, rows));
export const cases = (fns: readonly Fn[]) =>
  fns.flatMap((fn) => fn.inputs.map((input) => [fn.name, input, fn] as const));
export const named = (fns: readonly Fn[]) => fns.map((fn) => [fn.name, fn, fn.inputs.at(-1) ?? ''] as const);

/** `value`: as it was given. */
export interface Wanted extends Omit<SoftmaxErrorDetails, 'value'> {
  readonly value?: unknown;
  readonly code?: SoftmaxErrorCode;
  readonly message?: string;
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Checks of errors that come later, as rejections: for who lets asynchronous functions take the place of the others. */
export const rejections: Promise<void>[] = [];

/** `call` throws that error, with these details, and leaves every one of the outputs as it was. */
export function expectError(
  type: 'TypeError' | 'RangeError',
  { message, ...details }: Wanted,
  call: () => unknown,
  ...outputs: ArrayBufferView[]
): void {
  const before = outputs.map((output) => Buffer.from(bytesOf(output)));
  const check = (error: unknown) => {
    expect(error, 'nothing was thrown').toBeDefined();
    expect((error as Error).name, (error as Error).message).toBe(type);
    expect(error).toBeInstanceOf(type === 'TypeError' ? TypeError : RangeError);
    expect(notPlain(error)).toBeUndefined();
    for (const [key, value] of Object.entries(details)) {
      const own = (error as Record<string, unknown>)[key];
      if (key === 'value') expect(isShownAs(value, own), `${String(own)} as value`).toBe(true);
      else expect(own, key).toBe(value);
    }
    if (message !== undefined) expect((error as Error).message).toBe(message);
    outputs.forEach((output, i) => {
      expect(before[i]?.equals(bytesOf(output)), `output ${i} was written`).toBe(true);
    });
  };
  let returned: unknown;
  try {
    returned = call();
  } catch (error) {
    check(error);
    return;
  }
  if (!(returned instanceof Promise)) check(undefined);
  else rejections.push(returned.then(() => check(undefined), check));
}

export const marked = (length: number) => new Float32Array(length).map((_, i) => i + 0.5);
export const detached = <View extends ArrayBufferView>(view: View): View => {
  structuredClone(view.buffer, { transfer: [any(view.buffer)] });
  return view;
};
/** A fixed-length view of a resizable buffer that has shrunk since. Newer than the library's own language level. */
export const outOfBounds = <View>(
  kind: new (buffer: ArrayBuffer, offset: number, length: number) => View,
  length: number,
) => {
  const Resizable = ArrayBuffer as unknown as new (
    bytes: number,
    options: object,
  ) => ArrayBuffer & {
    resize(bytes: number): void;
  };
  const buffer = new Resizable(8 * length + 8, { maxByteLength: 8 * length + 8 });
  const view = new kind(buffer, 8, length);
  buffer.resize(8);
  return view;
};
