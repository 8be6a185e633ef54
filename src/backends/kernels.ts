// What a backend does: the kernels, over rows of any axis. Everything has been checked before: lengths fit, arrays
// overlap only exactly, targets are classes, dtypes belong together.

import type { PlainTokens } from './plain-tokens.js';
import type { SamplingKernels } from './sampling.js';

/** The types of elements. float16 and bfloat16 are computed in float32. */
export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16';

/** Results may be integers, too, such as classes. */
export type ElementType = DType | 'int32';

/** Elements in memory. `data` is a Float32Array, a Float64Array, or for 16 bits a Float16Array or Uint16Array. */
export interface Elements<Type extends ElementType = ElementType> {
  readonly data: Float32Array | Float64Array | Uint16Array | Int32Array;
  readonly dtype: Type;
}

/** What log-sum-exps and the losses of `reduction: 'none'` are: float64 for float64 logits, float32 for all others. */
export type RowResults = Float32Array | Float64Array;

/** Which elements count. Element k of row r is kept where data[offsets[r] + k * step] is not 0. */
export interface RowMask {
  readonly data: Uint8Array;
  readonly offsets: Float64Array;
  readonly step: number;
}

/**
 * An array as rows along one axis: element k of row r = o · inner + i is at (o · length + k) · inner + i, for o in
 * [0, outer) and i in [0, inner).
 */
export interface Rows {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly mask: RowMask | undefined;
  /** The rows to compute; all of them without it. Native code does not know it. */
  readonly range?: RowRange;
}

/** Rows from `begin` on and before `end`. */
export interface RowRange {
  readonly begin: number;
  readonly end: number;
}

/** scale / temperature: one for all rows, or one per row. ±Infinity stands for temperature 0. */
export type Multipliers = number | Float64Array;

/** Rows whose logits are multiplied. */
export interface ScaledRows extends Rows {
  readonly multiplier: Multipliers;
}

/** How the losses of rows become gradients: ∂result/∂loss, one for all rows or one per row, without class weights. */
export type GradLoss = number | Float64Array;

export interface CrossEntropyProblem {
  readonly logits: Elements;
  /** A class in [0, length) or a negative number for a row to ignore; or probabilities, of the logits' shape. */
  readonly target: Int32Array | Elements;
  /** One per class. */
  readonly weight: Float64Array | undefined;
  readonly labelSmoothing: number;
  /** One per row, weighted and smoothed, not reduced. A loss may be beyond the range of float32 logits. */
  readonly loss: Float64Array;
  readonly logSumExp: RowResults;
  /** Of the logits' shape; may be the logits. float64 for other logits: not rounded to their type. */
  readonly grad: Elements | undefined;
  readonly gradLoss: GradLoss;
}

export interface DivergenceProblem {
  readonly student: Elements;
  readonly teacher: Elements;
  /** KL(softmax(multiplier · teacher) ‖ softmax(multiplier · student)), one per row. */
  readonly divergence: Float64Array;
  /** ∂result/∂student: gradLoss · multiplier · (p_student − p_teacher), plus `addend`. May be the student's logits. */
  readonly grad: Elements | undefined;
  readonly addend: Float64Array | undefined;
  readonly gradLoss: GradLoss;
}

/** As many rows as a small batch has at most. */
export const smallRows = 64;

/** What a small batch has one of a row, in a backend's own memory. */
export interface SmallBatch {
  /** As those of a CrossEntropyProblem. */
  readonly classes: Int32Array;
  readonly loss: Float64Array;
  readonly logSumExp: Float32Array;
}

/** Kernels for what most calls are: float32 rows of the last axis, used as they are. `elements` and `length` above 0. */
export interface PlainKernels {
  softmax(x: Float32Array, out: Float32Array, elements: number, length: number): void;
  logSoftmax(x: Float32Array, out: Float32Array, elements: number, length: number): void;
  softmaxBackward(
    gradOutput: Float32Array,
    output: Float32Array,
    out: Float32Array,
    elements: number,
    length: number,
  ): void;
  logSoftmaxBackward(
    gradOutput: Float32Array,
    output: Float32Array,
    out: Float32Array,
    elements: number,
    length: number,
  ): void;
  /** No user code runs between writing classes, the call and reading losses. */
  readonly batch: SmallBatch;
  /** Of up to smallRows rows: from batch.classes to batch.loss and batch.logSumExp. */
  crossEntropy(
    logits: Float32Array,
    grad: Float32Array,
    elements: number,
    length: number,
    gradLoss: number,
  ): void;
}

/** A kernel over rows of one array: `out` may be the input, if its elements are as many and of the same dtype. */
export type UnaryRows = (x: Elements, out: Elements, rows: ScaledRows) => unknown;

/** A kernel over rows of two arrays, either of which `out` may be. */
export type BinaryRows = (a: Elements, b: Elements, out: Elements, rows: ScaledRows) => unknown;

/**
 * A kernel over rows of arrays in the order of native/operations.h; those that are optional may be undefined. `numbers`:
 * what else there is.
 */
export type ArrayRows = (
  arrays: readonly (Elements | undefined)[],
  numbers: readonly [number, number],
  rows: ScaledRows,
) => unknown;

/** A kernel by its name, which native code finds it by (native/operations.h), with its twin in JavaScript. */
export interface Kernel<Run> {
  readonly name: string;
  readonly js: Run;
}

/** A backend's kernels. What they return is the backend's own: native code tells whether it began a job. */
export interface Kernels {
  /** The fast path. */
  readonly plain: PlainKernels;
  /** The same for results in arrays that were just made. */
  readonly plainNew: PlainKernels;
  /** The fast path of labels and tokens: native code has one. */
  readonly plainTokens?: PlainTokens;
  /**
   * The fast path of streams, blockSums of one plain row with `count` fields, of at most mostPlainBlocks blocks: native code
   * has one. Returns the fields, until the next call of any kernel.
   */
  blockSums?(x: Float32Array, length: number, count: number, top: number): Float64Array;
  unary(kernel: Kernel<UnaryRows>): UnaryRows;
  binary(kernel: Kernel<BinaryRows>): BinaryRows;
  arrays(kernel: Kernel<ArrayRows>): ArrayRows;
  crossEntropy(problem: CrossEntropyProblem, rows: ScaledRows): unknown;
  /** Kullback–Leibler divergence of softmax distributions. */
  divergence(problem: DivergenceProblem, rows: ScaledRows): unknown;
  readonly sampling: SamplingKernels;
}
