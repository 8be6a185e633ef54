// What blockSums writes of each block of a row: enum BlockField of native/kernels/block_sums.h.

/** In the measure of the block's own maximum (backends/js/scaled-sums.ts). */
export const BlockField = {
  /** The largest signed logit. */
  top: 0,
  /** Of the exponentials; Infinity where one is and none is NaN. */
  sum: 1,
  /** Of those beside the largest: of float32 in float64, against N = 0, and NaN where no log-sum-exp can need it. */
  beside: 2,
  /** Of float32: of all of them in float64, against N = 0, or NaN; of float64: as `beside`, which merges another way. */
  wide: 3,
  /** The exponential of the largest of float64, 0 if it is not finite; of float32 0. */
  largest: 4,
  /** The sum without the target's. */
  untargeted: 5,
  /** Of exponentials in float64, of a float32 row whose log-sum-exp may be near 0: else this and what follows are NaN. */
  nearSum: 6,
  /** That of the last of the largest logits. */
  nearLargest: 7,
  /** That logit, scaled. */
  nearTop: 8,
} as const;
export const blockFields = 9;

/** Of a row: its arg max, which may be −1 where no logit is above the one that was given; then its blocks. */
export const fieldsBeforeBlocks = 1;

/** Of so many blocks a row's fields are in memory that native code shares (native/exchange.ts). */
export const mostPlainBlocks = 8;
