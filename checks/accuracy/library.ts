// softmax-native itself.

import { backend, crossEntropy, logSoftmax, logSumExp, softmax } from 'softmax-native';
import manifest from '../../package.json' with { type: 'json' };
import { formats } from '../../test/helpers/exact-row.js';
import { numberOf } from '../../test/helpers/half-bits.js';
import type { Batch, Contestant, Operation } from './contestants.js';

/** A 16-bit result as numbers. */
function numbers(result: ArrayLike<number>, { dtype }: Batch): ArrayLike<number> {
  if (dtype !== 'float16' && dtype !== 'bfloat16') return result;
  return Float64Array.from(result, (bits) => numberOf(bits, formats[dtype]));
}

function run(operation: Operation, batch: Batch): ArrayLike<number> {
  const { dtype, data, targets } = batch;
  const options = { shape: [batch.rows, batch.length], ...(data instanceof Uint16Array ? { dtype } : {}) };
  const x = data as Float32Array;
  if (operation === 'softmax') return numbers(softmax(x, options), batch);
  if (operation === 'logSoftmax') return numbers(logSoftmax(x, options), batch);
  if (operation === 'logSumExp') return numbers(logSumExp(x, options), batch);
  if (operation === 'loss') return crossEntropy(x, targets, { ...options, reduction: 'none' }).loss;
  return numbers(crossEntropy(x, targets, { ...options, reduction: 'sum', grad: true }).grad, batch);
}

export const library: Contestant = {
  name: 'softmax-native',
  version: `${manifest.version}, ${backend.isa ?? 'JavaScript'}`,
  measure: async (operation, batch) => run(operation, batch),
  close() {},
};
