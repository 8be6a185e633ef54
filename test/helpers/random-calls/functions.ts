// The functions that random calls are of: the table of operations, and those on rows in shards, whose arguments are more
// various.

import type { Signature } from '../../../src/operations/operation.js';
import { shardOperations } from '../../../src/operations/shards/table.js';
import { operations } from '../../../src/operations/table.js';
import type { OptionName } from '../../../src/problem/option-names.js';

/** What a call is made by. */
export interface FunctionSignature
  extends Pick<Signature, 'name' | 'inputs' | 'target' | 'options' | 'result'>,
    Partial<Pick<Signature, 'holds' | 'results' | 'count' | 'isRandom'>> {
  /** Of rows in shards: the argument that other functions have made of them. 'none': it makes them itself. */
  readonly shards?: 'none' | 'state' | 'parts' | 'chunks';
  /** false: there is nothing to wait for. */
  readonly hasTwin?: false;
}

const ofRows: readonly OptionName[] = ['shape', 'axis', 'dtype', 'mask'];
const x = ['x'] as const;

/** By name: what the table of shards does not say. */
const onShards: Readonly<Record<string, Omit<FunctionSignature, 'name' | 'hasTwin'>>> = {
  partial: {
    ...{ inputs: x, target: 'option', result: 'row', shards: 'none' },
    options: [...ofRows, 'temperature', 'scale', 'emptyRow', 'offset', 'classes', 'target', 'ignoreIndex'],
  },
  mergePartials: { inputs: [], target: 'none', options: [], result: 'row', shards: 'parts' },
  finishLogSumExp: { inputs: [], target: 'none', options: [], result: 'row', shards: 'state' },
  finishSoftmax: { inputs: x, target: 'none', options: ['out', ...ofRows], result: 'rows', shards: 'state' },
  finishLogSoftmax: {
    ...{ inputs: x, target: 'none', result: 'rows', shards: 'state' },
    options: ['out', ...ofRows],
  },
  finishCrossEntropy: {
    ...{ inputs: x, target: 'classes', result: 'rows', shards: 'state' },
    options: ['grad', ...ofRows, 'offset', 'reduction', 'emptyMean', 'ignoreIndex', 'gradOutput'],
  },
  gatherTopK: {
    ...{ inputs: [], target: 'none', result: 'rows', shards: 'parts' },
    options: ['classes', 'rows', 'dtype'],
  },
};

/** Calls of its constructor and of its methods, one after the other (shards.ts). */
const stream: FunctionSignature = {
  name: 'SoftmaxStream',
  ...{ inputs: x, target: 'none', result: 'row', shards: 'chunks' },
  options: ['dtype', 'temperature', 'scale'],
};

const all: readonly FunctionSignature[] = [
  ...operations,
  ...shardOperations.map(({ name, options }): FunctionSignature => {
    const signature = onShards[name];
    if (signature === undefined) throw new Error(`random calls do not know ${name}`);
    return { name, ...signature, ...(options === undefined ? { hasTwin: false as const } : {}) };
  }),
  stream,
];
const byName = new Map(all.map((signature) => [signature.name, signature]));

export const functionNames = all.map(({ name }) => name);

export function signatureOf(name: string): FunctionSignature {
  const found = byName.get(name);
  if (found === undefined) throw new Error(`there is no function ${name}`);
  return found;
}

/** Whether classes may be probabilities, too. */
export const takesProbabilities = ({ target, shards }: FunctionSignature): boolean =>
  target === 'classes or probabilities' || (target === 'option' && shards === undefined);

/** Whether its results are by chance where no seed is given. */
export const draws = ({ result, isRandom }: FunctionSignature): boolean =>
  result === 'tokens' || isRandom === true;

/** The results of sample: of draws, of rows, and of the most likely classes of each row. */
export const sampleResults = {
  ...{ tokens: 'integers', logProbs: 'floats', rawLogProbs: 'floats', kept: 'integers' },
  ...{ topTokens: 'integers', topLogProbs: 'floats' },
} as const;

/** The results that go to an object of arrays. */
export const resultsOf = ({ result, results }: FunctionSignature) =>
  result === 'tokens' ? sampleResults : results;
