// Every function as a table of calls, and the check of an error: its type, code, details, message, nothing written.

import {
  crossEntropy,
  distillationLoss,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  nllLoss,
  type SoftmaxErrorCode,
  type SoftmaxErrorDetails,
  softmax,
  softmaxBackward,
  softmaxJacobian,
} from 'softmax-native';
import { expect } from 'vitest';
export type Options = Record<string, unknown> | undefined;
export const any = (value: unknown) => value as never;

export interface Fn {
  readonly name: string;
  /** Array arguments that may be wrong, in the order in which they are looked at. */
  readonly inputs: readonly string[];
  /** With one input, `value` for `argument`, and the other ones good: zeros of `length`. */
  readonly call: (argument: string, value: unknown, options?: Options, length?: number) => unknown;
}

export const zeros = (length: number) => new Float32Array(length);
export const oneInput = (name: string, f: (x: never, options: never) => unknown, input = 'x'): Fn => ({
  name,
  inputs: [input],
  call: (_argument, value, options) => f(any(value), any(options)),
});
export const twoInputs = (name: string, f: (g: never, p: never, options: never) => unknown): Fn => ({
  name,
  inputs: ['gradOutput', 'output'],
  call: (argument, value, options, length = 6) =>
    argument === 'gradOutput'
      ? f(any(value), any(zeros(length)), any(options))
      : f(any(zeros(length)), any(value), any(options)),
});
export const lossOf = (logits: unknown, target: unknown, options?: Options) =>
  crossEntropy(any(logits), any(target), any(options));

export const forward = [
  oneInput('softmax', softmax),
  oneInput('logSoftmax', logSoftmax),
  oneInput('logSumExp', logSumExp),
];
export const backward = [
  twoInputs('softmaxBackward', softmaxBackward),
  twoInputs('logSoftmaxBackward', logSoftmaxBackward),
];
export const jacobian = oneInput('softmaxJacobian', softmaxJacobian, 'output');
export const loss: Fn = {
  name: 'crossEntropy',
  inputs: ['logits'],
  call: (_argument, value, options) => lossOf(value, new Int32Array(1), options),
};
export const nll: Fn = {
  name: 'nllLoss',
  inputs: ['logProbs'],
  call: (_argument, value, options) => nllLoss(any(value), new Int32Array(1), any(options)),
};
export const distillation: Fn = {
  name: 'distillationLoss',
  inputs: ['teacherLogits', 'studentLogits'],
  call: (argument, value, options, length = 6) =>
    argument === 'studentLogits'
      ? distillationLoss(any(value), zeros(length), any(options))
      : distillationLoss(any(zeros(length)), any(value), any(options)),
};
export const losses = [loss, nll, distillation];
export const functions = [...forward, ...backward, jacobian, ...losses];
export const scaled = [...forward, ...backward, loss, distillation];
export const withOut = [...forward, ...backward];
/** What the gradient or result of a function is asked for with. */
export const outKey = (fn: Fn) => (losses.includes(fn) ? 'grad' : 'out');
/** How many elements that has, with an input of 6. */
export const outLength = (fn: Fn) => (fn.name === 'logSumExp' ? 1 : fn === jacobian ? 36 : 6);
export const cases = (fns: readonly Fn[]) =>
  fns.flatMap((fn) => fn.inputs.map((input) => [fn.name, input, fn] as const));
export const named = (fns: readonly Fn[]) => fns.map((fn) => [fn.name, fn, fn.inputs.at(-1) ?? ''] as const);

export interface Wanted extends SoftmaxErrorDetails {
  readonly code: SoftmaxErrorCode;
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
    for (const [key, value] of Object.entries(details))
      expect((error as Record<string, unknown>)[key], key).toBe(value);
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

export const marked = (length: number) => Float32Array.from({ length }, (_, i) => i + 0.5);
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
