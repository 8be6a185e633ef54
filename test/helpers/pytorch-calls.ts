// Calls of this package's functions with the inputs and options of PyTorch's cases, in every form they may come in.

import type { Case, Floats, Inputs } from './pytorch.js';

const integerKinds = [Int32Array, Int16Array, Uint8Array, Int8Array, Uint16Array, Uint32Array] as const;

/** Class indices as one type of array after the other, where they fit it. */
function indexTarget(indices: readonly number[], number: number): unknown {
  if (number % 3 === 0) return BigInt64Array.from(indices, BigInt);
  const kind = integerKinds[Math.floor(number / 3) % integerKinds.length] ?? Int32Array;
  const narrow = kind.from(indices);
  return indices.every((y, i) => narrow[i] === y) ? narrow : Int32Array.from(indices);
}

/** Data as the inputs of call number i come: bare, or in one of two containers. */
export function contained(data: unknown, { shape, dtype }: Case, number: number): unknown {
  if (number % 3 === 1) return { data, dims: shape, type: dtype };
  return number % 3 === 2 ? { data, shape, dtype } : data;
}

export function targetOf(given: Case, inputs: Inputs, number: number): unknown {
  if (given.target === undefined) return undefined;
  const { probabilities, indices } = inputs;
  return probabilities ? contained(probabilities, given, number) : indexTarget(indices, number);
}

export const dataOf = (value: unknown): Floats =>
  ArrayBuffer.isView(value) ? (value as Floats) : (value as { data: Floats }).data;

/** All but the target. Bare arrays need the shape; it may be given beside that of a container. */
export function optionsOf(given: Case, inputs: Inputs, number: number): Record<string, unknown> {
  const { labelSmoothing, scale, alpha, emptyMean, ignoreIndex, reduction, axis } = given;
  const { mask, classes } = inputs;
  const after = given.shape.slice(axis + 1);
  const classMask = () => ({ data: mask, dims: [classes, ...after.map(() => 1)], type: 'bool' });
  const options = {
    axis,
    shape: number % 3 === 0 || number % 4 < 2 ? given.shape : undefined,
    reduction,
    labelSmoothing,
    scale,
    alpha,
    emptyMean,
    ignoreIndex,
    weight: inputs.weight,
    temperature: given.temperature === 'rows' ? inputs.temperature : given.temperature,
    gradOutput: given.gradOutput === 'rows' ? inputs.gradOutput : given.gradOutput,
    mask: given.mask === 'classes' ? classMask() : mask,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The option `grad` of call number i: a new array, a given one, or over the logits. */
export function gradOption(logits: unknown, given: Case, number: number): unknown {
  const other = contained(dataOf(logits).slice().fill(7), given, number + 1);
  return [true, other, logits][Math.floor(number / 3) % 3];
}
