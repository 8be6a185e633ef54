// Who is measured, and on what.

export type DTypeName = 'float32' | 'float64' | 'float16' | 'bfloat16';
export type Operation = 'softmax' | 'logSoftmax' | 'logSumExp' | 'loss' | 'gradient';

/** Rows of one length, of one kind. */
export interface Batch {
  readonly dtype: DTypeName;
  readonly kind: string;
  readonly scale: number;
  readonly rows: number;
  readonly length: number;
  /** What the elements are, exactly. */
  readonly values: Float32Array | Float64Array;
  /** The same as the dtype has them: values itself, or bits. */
  readonly data: Float32Array | Float64Array | Uint16Array;
  /** One class a row. */
  readonly targets: Int32Array;
}

export interface Contestant {
  readonly name: string;
  readonly version: string;
  /**
   * The results as numbers: one per element, or one per row. The loss of each row by its target, not reduced; the
   * gradient of their sum. Undefined where the contestant has no such function for the dtype.
   */
  measure(operation: Operation, batch: Batch): Promise<ArrayLike<number> | undefined>;
  close(): void;
}
