// Options that several functions share. An option that is undefined counts as not given; null is a value, and refused.

import type { DType } from '../backends/kernels.js';
import type { MaskArray, NumberArray, Output, ShapeArray } from './arrays.js';

/** Options of every function over rows. */
export interface ShapeOptions {
  /**
   * The array's shape, row-major. One size may be −1: what the number of elements leaves for it. Without `shape` a bare
   * array is one row; a tensor has a shape of its own.
   */
  readonly shape?: ShapeArray | undefined;
  /** The axis the function works along; negative counts from the end. Default −1, the last. */
  readonly axis?: number | undefined;
}

/** What logits are multiplied by: scale / temperature. */
export interface ScalingOptions {
  /**
   * τ: logits are divided by it. A number, or one per row. At least 0; 0 and Infinity are taken as limits where they
   * exist. Default 1.
   */
  readonly temperature?: number | NumberArray | undefined;
  /** Logits are multiplied by it, as by attention's 1/√d. Finite. Default 1. */
  readonly scale?: number | undefined;
}

/** Which elements take part. */
export interface MaskOptions {
  /**
   * Which elements count: those where it is not 0. A Uint8Array of the array's size or that of some of its last axes,
   * or a tensor of bool or integers that broadcasts to the array's shape from the right, as a tokenizer's int64
   * attention mask does.
   */
  readonly mask?: MaskArray | undefined;
}

/** What becomes of a row of nothing but −Infinity. */
export type EmptyRow = 'nan' | 'zero';

/** Rows without anything to share. */
export interface EmptyRowOptions {
  /**
   * A row of nothing but −Infinity, as an additive mask leaves it (of +Infinity, if `scale` is negative; of what `mask`
   * keeps). 'nan': NaN, as in PyTorch. 'zero': what `mask` makes of a row that it empties: probabilities, entropy, loss
   * and gradient 0, log-probabilities and log-sum-exp −Infinity. A row with a NaN or +Infinity is NaN all the same.
   * Backward functions know it by their `output`: by a row of nothing but 0, or for log-softmax −Infinity; what is in
   * `gradOutput` does not matter there. Each row is looked at up to its first element that counts; a call with such rows
   * takes the time of a masked one. Default 'nan'.
   */
  readonly emptyRow?: EmptyRow | undefined;
}

/** The type of elements. */
export interface DTypeOptions<D extends DType | undefined> {
  /**
   * What new results hold. Default: what the first input holds. As 'float16' or 'bfloat16' it says what bare Uint16Arrays
   * hold, too; for another result of them give tensors, `{ data, shape, dtype: 'float16' }`. float64 cannot be mixed with other types, the others with each other.
   */
  readonly dtype?: D | undefined;
}

/** Where a result goes. */
export interface OutOptions<Out extends Output | undefined> {
  /**
   * Where the result goes, an array or a tensor: an input itself (in place, with the same dtype), or memory that no
   * input has a part of. Sharing is seen by the buffers' identity: two SharedArrayBuffer objects of the same memory
   * look like different ones.
   */
  readonly out?: Out | undefined;
}

/** Options of every asynchronous function, beside those of the synchronous one. */
export interface AsyncOptions {
  /** An AbortSignal: when it is aborted, the call rejects with its reason. */
  readonly signal?: Abortable | undefined;
  /**
   * true: the arrays of floats that the call reads are given up. Their buffers are detached at once, as by postMessage,
   * and not copied; a result of the same size and type comes back in that memory. No effect on a SharedArrayBuffer,
   * which is never copied. Default false.
   */
  readonly transfer?: boolean | undefined;
}

/** What is used of an AbortSignal; any object that has it will do. */
export interface Abortable {
  /** Whether it is aborted already. */
  readonly aborted: boolean;
  /** What a call that is aborted rejects with. */
  readonly reason?: unknown;
  /** Calls the listener when it is aborted. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** Does so no longer. */
  removeEventListener(type: 'abort', listener: () => void): void;
}
