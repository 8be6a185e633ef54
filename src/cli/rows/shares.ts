// What is known of each block of a long row after the first pass, and how it becomes the block's share of the
// row: Σ exp over the block / Σ exp over the row, or for log-softmax the logarithm of that.
//
// All exponentials and logarithms are this library's, so that these bits, too, are the same everywhere.

import type { FunctionName, Softmax } from './block.js';

/** Element [block, column]. */
export interface Blocks {
  readonly columns: number;
  /** The largest element of the block; NaN when it has a NaN or Infinity. */
  readonly tops: Float64Array;
  /** The sum of exp((x − top) / temperature) over the block, or for log-softmax its logarithm. Then the share. */
  readonly sums: Float64Array;
  /** The largest of each row; NaN when the row is NaN throughout. */
  readonly rowTops: Float64Array;
}

export interface Shares {
  /** Of a block [lines, columns], which is overwritten, and its tops: into `sums`. */
  sum(block: Float64Array, tops: Float64Array, sums: Float64Array): void;
  /** Turns all sums into shares. */
  share(blocks: Blocks): void;
}

/**
 * (x − top) / temperature, at most 0; for the temperatures that are limits, 0 for what counts and −Infinity else. A block of
 * nothing but −Infinity has differences of 0: it is the block whose difference from the row is −Infinity then.
 */
export function differenceFor(temperature: number): (x: number, top: number) => number {
  // As float64 is multiplied elsewhere in this library.
  // Of −0, a temperature as 0 is, it would be −Infinity.
  const multiplier = 1 / Math.abs(temperature);
  if (multiplier === Number.POSITIVE_INFINITY) return (x, top) => (x === top ? 0 : Number.NEGATIVE_INFINITY);
  if (multiplier === 0)
    return (x, top) => (x === top || x > Number.NEGATIVE_INFINITY ? 0 : Number.NEGATIVE_INFINITY);
  return (x, top) => {
    if (x === top) return 0;
    const difference = x - top;
    // Of finite numbers that are too far apart for a float64.
    if (difference === Number.NEGATIVE_INFINITY) return (x / 2 - top / 2) * multiplier * 2;
    return difference * multiplier;
  };
}

/** No difference is rounded here: softmax of the block, and of the tops, are of the numbers as they are. */
function softmaxShares({ softmax }: Softmax, temperature: number): Shares {
  const compute = (numbers: Float64Array, columns: number) =>
    softmax(numbers, { shape: [numbers.length / columns, columns], axis: 0, temperature, out: numbers });
  return {
    sum(block, tops, sums) {
      const columns = tops.length;
      compute(block, columns);
      // The largest element's probability is 1 / sum.
      sums.fill(0);
      for (let i = 0; i < block.length; i += columns)
        for (let c = 0; c < columns; c++) sums[c] = Math.max(sums[c] as number, block[i + c] as number);
      for (let c = 0; c < columns; c++) sums[c] = 1 / (sums[c] as number);
    },
    share({ columns, tops, sums }) {
      compute(tops, columns);
      // A block of nothing but −Infinity has a NaN for its sum.
      for (let i = 0; i < sums.length; i++)
        sums[i] = tops[i] === 0 ? 0 : (sums[i] as number) * (tops[i] as number);
      for (let c = 0; c < columns; c++) divideBySum(sums, c, columns);
    },
  };
}

/** Kahan's sum of a column, which does not become worse with the number of blocks. */
function divideBySum(numbers: Float64Array, column: number, columns: number): void {
  let [sum, lost] = [0, 0];
  for (let i = column; i < numbers.length; i += columns) {
    const term = (numbers[i] as number) - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  for (let i = column; i < numbers.length; i += columns) numbers[i] = (numbers[i] as number) / sum;
}

/** The differences are rounded to float64, as the results are. */
function logSoftmaxShares({ logSumExp, logSoftmax }: Softmax, temperature: number): Shares {
  const difference = differenceFor(temperature);
  return {
    sum(block, tops, sums) {
      const columns = tops.length;
      for (let i = 0; i < block.length; i += columns)
        for (let c = 0; c < columns; c++)
          block[i + c] = difference(block[i + c] as number, tops[c] as number);
      logSumExp(block, { shape: [block.length / columns, columns], axis: 0, out: sums });
    },
    share({ columns, tops, sums, rowTops }) {
      for (let i = 0; i < sums.length; i++)
        sums[i] = (sums[i] as number) + difference(tops[i] as number, rowTops[i % columns] as number);
      logSoftmax(sums, { shape: [sums.length / columns, columns], axis: 0, out: sums });
    },
  };
}

export const sharesOf = (name: FunctionName, api: Softmax, temperature: number): Shares =>
  name === 'softmax' ? softmaxShares(api, temperature) : logSoftmaxShares(api, temperature);
