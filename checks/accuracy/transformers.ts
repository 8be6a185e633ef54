// transformers.js, which is installed with the example alone.

import { createRequire } from 'node:module';
import type { Contestant, Operation } from './contestants.js';

type RowFunction = (row: Float32Array) => ArrayLike<number>;
interface Transformers {
  readonly env: { readonly version: string };
  readonly softmax: RowFunction;
  readonly log_softmax: RowFunction;
}

export function transformers(): Contestant | undefined {
  const require = createRequire(new URL('../../examples/interop/package.json', import.meta.url));
  let library: Transformers;
  try {
    library = require('@huggingface/transformers');
  } catch {
    return undefined;
  }
  const functions: Partial<Record<Operation, RowFunction>> = {
    softmax: library.softmax,
    logSoftmax: library.log_softmax,
  };
  return {
    name: 'transformers.js',
    version: library.env.version,
    async measure(operation, { dtype, values, rows, length }) {
      const run = functions[operation];
      if (!run || dtype !== 'float32' || !(values instanceof Float32Array)) return undefined;
      const results = new Float32Array(rows * length);
      for (let r = 0; r < rows; r++)
        results.set(run(values.subarray(r * length, (r + 1) * length)), r * length);
      return results;
    },
    close() {},
  };
}
