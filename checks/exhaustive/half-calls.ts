// Every function of the package, over rows that all 65,536 patterns of a 16-bit type take part in: as logits, as
// probabilities and log-probabilities, as gradients.

import * as api from 'softmax-native';
import {
  crossEntropy,
  distillationLoss,
  logSoftmaxBackward,
  nllLoss,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { type Format, formats } from '../../test/helpers/exact-row.js';
import { bitsOf, roundTo } from '../../test/helpers/half-bits.js';
import { isLoss, signatures, takes } from '../../test/helpers/signatures.js';

type AnyFunction = (...args: unknown[]) => unknown;
const functionOf = (name: string) => (api as unknown as Record<string, AnyFunction>)[name] as AnyFunction;

export type HalfType = 'float16' | 'bfloat16';
export type Values = Uint16Array | Float32Array;

const patternCount = 65536;

/** Rows with a pattern each. */
export interface Form {
  readonly name: string;
  readonly length: number;
  /** The bits of the elements of all rows. */
  readonly bits: Uint16Array;
}

const halfOf = (value: number, format: Format) => bitsOf(roundTo(value, format), format);

/** The pattern alone; beside ordinary numbers, in each place; beside its neighbour; beside the largest numbers. */
export function formsOf(dtype: HalfType): Form[] {
  const format = formats[dtype];
  const largest = (2 - 2 ** (1 - format.precision)) * 2 ** (1 - format.lowestExponent);
  const form = (name: string, length: number, elementOf: (pattern: number, k: number) => number): Form => ({
    name,
    length,
    bits: Uint16Array.from({ length: patternCount * length }, (_, i) =>
      elementOf(Math.floor(i / length), i % length),
    ),
  });
  const beside = (...others: readonly (number | undefined)[]) =>
    form(
      `[${others.map((other) => (other === undefined ? 'x' : other === largest ? 'max' : other === -largest ? '−max' : other)).join(', ')}]`,
      others.length,
      (pattern, k) => {
        const other = others[k];
        return other === undefined ? pattern : halfOf(other, format);
      },
    );
  return [
    beside(undefined),
    beside(undefined, 0),
    beside(0.5, undefined, -3),
    form('[1, x, the next]', 3, (pattern, k) => (k === 0 ? halfOf(1, format) : (pattern + k - 1) & 0xffff)),
    beside(undefined, -largest, largest, undefined),
  ];
}

/** What is not a pattern: numbers of the form's shape, the same few again and again. */
export function companionsOf({ length }: Form, dtype: HalfType, values: readonly number[]): Uint16Array {
  const bits = values.map((value) => halfOf(value, formats[dtype]));
  return Uint16Array.from({ length: patternCount * length }, (_, i) => bits[i % bits.length] as number);
}

export const companions = {
  /** Gradients, logits. */
  numbers: [0.25, -1.5, 2, 0.75, -0.125],
  probabilities: [0.5, 0.25, 0.125, 0.0625, 0.03125],
  logProbabilities: [-0.5, -2, -0.25, -8, -1],
};

export const targetsOf = ({ length }: Form): Int32Array =>
  Int32Array.from({ length: patternCount }, (_, row) => row % length);

/** The elements of rows, one row after another, as columns. */
function transposed(bits: Uint16Array, length: number): Uint16Array {
  const rows = bits.length / length;
  return Uint16Array.from(bits, (_, i) => bits[(i % rows) * length + Math.floor(i / rows)] as number);
}

/** Name of a call → its outputs. What is not `… scaled` or `… mixed` has references (half-exact.ts). */
export function callsOf(form: Form, dtype: HalfType): Record<string, () => Values[]> {
  const { length, bits } = form;
  const tensor = (data: Uint16Array, dims = [patternCount, length]) => ({ data, dims, type: dtype });
  const data = (...results: { data: unknown }[]) => results.map((result) => result.data as Values);
  const x = tensor(bits);
  const across = tensor(transposed(bits, length), [length, patternCount]);
  const given = (values: readonly number[]) => tensor(companionsOf(form, dtype, values));
  const numbers = given(companions.numbers);
  const probabilities = given(companions.probabilities);
  const logProbabilities = given(companions.logProbabilities);
  const target = { data: targetsOf(form), dims: [patternCount], type: 'int32' };
  const none = { reduction: 'none', grad: true } as const;
  const scaled = { temperature: 0.7 };
  const loss = (result: ReturnType<typeof crossEntropy<typeof x, 'none', true>>) =>
    data(result.loss, result.grad, result.logSumExp);
  // Squares come later: the published hash is of this order.
  const ofPatterns: Record<string, () => Values[]> = {};
  const squares: Record<string, () => Values[]> = {};
  for (const signature of signatures) {
    if (isLoss(signature) || signature.inputs.length > 1 || signature.holds) continue;
    const call = (options?: object) => data(functionOf(signature.name)(x, options) as { data: unknown });
    (signature.result === 'square' ? squares : ofPatterns)[signature.name] = () => call();
    if (takes(signature, 'temperature')) ofPatterns[`${signature.name} scaled`] = () => call(scaled);
  }
  return {
    ...ofPatterns,
    'softmax across': () =>
      data(softmax(across, { axis: 0 })).map((p) => transposed(p as Uint16Array, patternCount)),
    'softmaxBackward of gradients': () => data(softmaxBackward(x, probabilities)),
    'softmaxBackward of probabilities': () => data(softmaxBackward(numbers, x)),
    'logSoftmaxBackward of gradients': () => data(logSoftmaxBackward(x, logProbabilities)),
    'logSoftmaxBackward of log-probabilities': () => data(logSoftmaxBackward(numbers, x)),
    ...squares,
    'crossEntropy of logits, classes': () => loss(crossEntropy(x, target, none)),
    'crossEntropy of logits, probabilities': () => loss(crossEntropy(x, probabilities, none)),
    'crossEntropy of probabilities': () => loss(crossEntropy(numbers, x, none)),
    'crossEntropy smoothed scaled': () =>
      loss(crossEntropy(x, target, { ...none, ...scaled, labelSmoothing: 0.1 })),
    nllLoss: () => {
      const result = nllLoss(x, target, none);
      return data(result.loss, result.grad);
    },
    'distillationLoss of students': () => {
      const result = distillationLoss(x, numbers, none);
      return data(result.loss, result.grad);
    },
    'distillationLoss of teachers': () => {
      const result = distillationLoss(numbers, x, none);
      return data(result.loss, result.grad);
    },
    'distillationLoss mixed': () => {
      const result = distillationLoss(x, numbers, { ...none, temperature: 2, target, alpha: 0.4 });
      return data(result.loss, result.grad);
    },
  };
}
