// transformers.js: functions of one row, each into a new array.

import { createRequire } from 'node:module';
import type { Call, Open } from '../implementation.js';

type RowFunction = (row: Float32Array) => ArrayLike<number>;
interface Transformers {
  readonly env: { readonly version: string };
  readonly softmax: RowFunction;
  readonly log_softmax: RowFunction;
}

const require = createRequire(import.meta.url);

export const open: Open = () => {
  const library: Transformers = require('@huggingface/transformers');
  return {
    version: library.env.version,
    prepare({ operation, dtype, shape, where, input }): Call | undefined {
      const compute =
        operation === 'softmax'
          ? library.softmax
          : operation === 'logSoftmax'
            ? library.log_softmax
            : undefined;
      const { values } = input;
      if (!compute || dtype !== 'float32' || shape.axis !== 1 || !(values instanceof Float32Array))
        return undefined;
      const { rows, classes } = where;
      const logits = Array.from({ length: rows }, (_, r) => values.subarray(r * classes, (r + 1) * classes));
      let results: ArrayLike<number>[] = [];
      return {
        run: () => {
          results = logits.map((row) => compute(row));
        },
        result: () => {
          const all = new Float32Array(rows * classes);
          results.forEach((row, r) => {
            all.set(row, r * classes);
          });
          return all;
        },
      };
    },
  };
};
