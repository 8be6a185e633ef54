// The table of operations, as sweeps of tests and checks ask it: what arguments an operation takes and what it gives. The
// build bundles this into build/signatures.mjs, for checks that a bare Node runs.

import type { Signature as AnySignature } from '../../src/operations/operation.js';
import { shardOperations } from '../../src/operations/shards/table.js';
import { operations } from '../../src/operations/table.js';
import type { OptionName } from '../../src/problem/option-names.js';

export type { OptionName };

/** Of all operations but those that draw: these have sweeps of their own. */
export interface Signature extends AnySignature {
  readonly result: Exclude<AnySignature['result'], 'tokens'>;
}

const isSample = ({ result }: AnySignature): boolean => result === 'tokens';
const draws = (operation: AnySignature): boolean => isSample(operation) || operation.isRandom === true;

export const allSignatures = operations.filter(
  (operation) => !draws(operation),
) as readonly AnySignature[] as readonly Signature[];

/** Those that give one array, or losses. The others have sweeps of their own (several-results.test.ts). */
export const signatures: readonly Signature[] = allSignatures.filter(({ results }) => results === undefined);
/** Operations that draw, by name. */
export const tokenOperations = operations.filter(draws).map(({ name }) => name);

/** Functions on rows in shards, and their twins, which have tests of their own (shards.test.ts, errors-shards.test.ts). */
export const shardFunctions = shardOperations.flatMap(({ name, options }) =>
  options === undefined ? [name] : [name, `${name}Async`],
);

export const isAsync = (name: string): boolean => name.endsWith('Async');
export const syncName = (name: string): string => name.replace(/Async$/, '');

/** Of an operation or of its asynchronous twin. */
export function signatureOf(name: string): Signature {
  const found = allSignatures.find((signature) => signature.name === syncName(name));
  if (found === undefined) throw new Error(`the table of operations has no ${name}`);
  return found;
}

export const takes = ({ options }: Signature, option: OptionName): boolean => options.includes(option);

/** Whether it gives losses, in an object with what else there is; else it gives one array. */
export const isLoss = (signature: Signature): boolean => takes(signature, 'grad');

/** Whether the argument behind the inputs is the classes of rows. */
export const takesClasses = ({ target }: Pick<Signature, 'target'>): boolean =>
  target !== 'none' && target !== 'option';

const scaling: readonly OptionName[] = ['temperature', 'scale', 'mask', 'emptyRow'];
/** Options that would change the result of other functions; this one has none of them, and says so. */
export const refusedOptions = (signature: Signature): OptionName[] =>
  [...scaling, ...(isLoss(signature) ? (['labelSmoothing'] as const) : [])].filter(
    (option) => !takes(signature, option),
  );

/** What the result, or the gradient, is asked for with. */
export const outKey = (signature: Signature): 'out' | 'grad' => (isLoss(signature) ? 'grad' : 'out');

/** The outputs that may be given. */
export const outputKeys = (signature: Signature): ('out' | 'grad' | 'logProbs')[] =>
  (['out', 'grad', 'logProbs'] as const).filter((name) => takes(signature, name));

/** The input that shapes and dtypes are of: that of a gradient is the student's, or the output of the forward function. */
export const mainInput = (signature: Signature): string =>
  (isLoss(signature) ? signature.inputs[0] : signature.inputs.at(-1)) as string;

/** How many elements the first output has, with rows of so many. */
export function outLength({ result }: Signature, rows: number, length: number): number {
  if (result === 'row') return rows;
  return result === 'square' ? rows * length * length : rows * length;
}

/** A new array for the first output, of floats or what else it holds. */
export const newOut = ({ holds }: Signature, length: number): Float32Array | Int32Array =>
  holds ? new Int32Array(length) : new Float32Array(length);

/** The same with other numbers in every element. */
export const markedOut = (signature: Signature, length: number): Float32Array | Int32Array =>
  newOut(signature, length).map((_, i) => i + (signature.holds ? 77 : 0.5));

/** The shape of the first output. */
export function outShape(
  { result }: Pick<AnySignature, 'result'>,
  shape: readonly number[],
  axis = shape.length - 1,
): number[] {
  if (result === 'row') return shape.filter((_, other) => other !== axis);
  return result === 'square' ? [...shape, shape.at(-1) as number] : [...shape];
}

/** Arguments in their order. `count`: of places, where there are some. */
export const argumentsOf = (
  signature: Signature,
  inputs: readonly unknown[],
  classes: unknown,
  options?: unknown,
  count?: number,
): unknown[] => [
  ...inputs,
  ...(takesClasses(signature) ? [classes] : []),
  ...(signature.count === undefined ? [] : [count]),
  options,
];
