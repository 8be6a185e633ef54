// What can be computed of a row, and how a row of the result lies in the output file. A call of the library computes all
// rows of a job; no bit depends on which rows those are, or on the machine.

import { logSoftmax, softmax, tokenLogProbs, topK } from 'softmax-native';
import { dtypes } from './npy.mjs';

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** In place: the result has the bytes of the logits. */
const inPlace = (operation) => ({
  output: ({ descr, rows, columns }) => ({
    descr: `'${descr}'`,
    shape: [rows, columns],
    rowSize: columns * dtypes[descr].size,
  }),
  compute(logits, options) {
    operation(logits, { ...options, out: logits });
    return bytesOf(logits);
  },
});

export const operations = {
  softmax: inPlace(softmax),
  'log-softmax': inPlace(logSoftmax),

  /** log p of each row's target. */
  'token-log-probs': {
    needsTargets: true,
    output: ({ descr, rows }) => ({ descr: `'${descr}'`, shape: [rows], rowSize: dtypes[descr].size }),
    compute: (logits, options, { targets }) => bytesOf(tokenLogProbs(logits, targets, options).logProbs),
  },

  /** A structured array, so that probabilities and their classes are one file: out['values'], out['indices']. */
  topk: {
    needsK: true,
    output: ({ descr, rows }, k) => ({
      descr: `[('values', '${descr}', (${k},)), ('indices', '<i4', (${k},))]`,
      shape: [rows],
      rowSize: k * (dtypes[descr].size + 4),
    }),
    compute(logits, options, { k }) {
      const { values, indices } = topK(logits, k, { ...options, values: 'probabilities' });
      const [ofValues, ofIndices] = [bytesOf(values), bytesOf(indices)];
      const [wide, narrow] = [ofValues.length / options.shape[0], 4 * k];
      const bytes = new Uint8Array(ofValues.length + ofIndices.length);
      for (let row = 0; row < options.shape[0]; row++) {
        const at = row * (wide + narrow);
        bytes.set(ofValues.subarray(row * wide, (row + 1) * wide), at);
        bytes.set(ofIndices.subarray(row * narrow, (row + 1) * narrow), at + wide);
      }
      return bytes;
    },
  },
};
