// Results that are several arrays: the option `out` is an object of what they go to, by their names.

import type { DType } from '../../backends/kernels.js';
import { cut, formatValue, isArray, typeError } from '../../errors.js';
import {
  type Destination,
  type GivenOutput,
  givenDestination,
  newDestination,
  newIntegers,
  type OutputUse,
  readIntegerOutput,
  readOutput,
  requireShareNothing,
} from '../../problem/outputs.js';
import type { RowOptions } from '../../problem/rows.js';
import type { Sizes } from '../../problem/shapes.js';
import type { Input, Operand } from '../../problem/tensors.js';

/** What was given for some of them. */
export type NamedOutputs<Name extends string> = Partial<Record<Name, GivenOutput>>;

/** Reads each once. */
export function readNamedOutputs<Name extends string>(
  results: Readonly<Record<Name, 'floats' | 'integers'>>,
  out: unknown,
  input: Operand,
  dtype: DType | undefined,
): NamedOutputs<Name> {
  const outputs: NamedOutputs<Name> = {};
  if (out === undefined) return outputs;
  // Own names: a program may have added to Object.prototype.
  const names = Object.keys(results) as Name[];
  const isObject = typeof out === 'object' && out !== null && !isArray(out) && !ArrayBuffer.isView(out);
  if (!isObject || !names.some((name) => name in out)) {
    const message = `out must be an object of arrays, { ${names.join(', ')} }, got ${formatValue(out)}`;
    throw typeError('ERR_OPTION', message, { argument: 'out', value: out });
  }
  for (const name in out)
    if (!Object.hasOwn(results, name) && Object.hasOwn(out, name)) {
      const message = `out has ${JSON.stringify(cut(name, 40))}, but the results are ${names.join(', ')}`;
      throw typeError('ERR_OPTION', message, { argument: 'out', value: name });
    }
  // All of them before any is checked, as the plain calls read them.
  const all = names.map((name) => (out as Partial<Record<Name, unknown>>)[name]);
  for (const [i, name] of names.entries()) {
    const given = all[i];
    if (given === undefined) continue;
    outputs[name] =
      results[name] === 'integers'
        ? readIntegerOutput(`out.${name}`, given)
        : readOutput(`out.${name}`, given, input, dtype);
  }
  return outputs;
}

/** How many elements a result has, and its shape. */
export interface ResultSize {
  readonly elements: number;
  readonly shape: Sizes | undefined;
}

/** What the places of results are checked against: no two may share memory, nor may one be an input. */
export interface NamedUse {
  readonly input: Input;
  readonly options: RowOptions;
  readonly others: OutputUse['others'];
}

/** Where the results of some names go. */
export function namedDestinations<Name extends string>(
  results: Readonly<Record<Name, 'floats' | 'integers'>>,
  outputs: NamedOutputs<Name>,
  sizes: Partial<Record<Name, ResultSize>>,
  { input, options, others }: NamedUse,
): Partial<Record<Name, Destination>> {
  const destinations: Partial<Record<Name, Destination>> = {};
  const before: GivenOutput[] = [];
  for (const name of Object.keys(sizes) as Name[]) {
    const { elements, shape } = sizes[name] as ResultSize;
    const argument = `out.${name}` as const;
    const output = outputs[name];
    if (output === undefined) {
      destinations[name] =
        results[name] === 'integers'
          ? newIntegers(argument, input.operand, elements, shape)
          : newDestination(argument, input.argument, input.operand, options.dtype, elements, shape);
      continue;
    }
    destinations[name] = givenDestination(output, {
      inputs: [input],
      mayReplace: false,
      others,
      options,
      elements,
      shape,
      owner: 'the result',
    });
    for (const { argument: other, operand } of before) requireShareNothing(output, other, operand);
    before.push(output);
  }
  return destinations;
}
