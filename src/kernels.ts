/**
 * What a backend does: the kernels, over rows of the last axis. Everything has been checked before: lengths fit,
 * arrays overlap only exactly, targets are classes. Rows lie one after another, `length` floats each.
 * `multiplier` is scale / temperature; ±Infinity stands for temperature 0.
 */
export interface Kernels {
  softmax(logits: Float32Array, out: Float32Array, rows: number, length: number, multiplier: number): void;
  logSoftmax(logits: Float32Array, out: Float32Array, rows: number, length: number, multiplier: number): void;
  /** out: one float a row. */
  logSumExp(logits: Float32Array, out: Float32Array, rows: number, length: number, multiplier: number): void;
  softmaxBackward(
    gradOutput: Float32Array,
    output: Float32Array,
    out: Float32Array,
    rows: number,
    length: number,
    multiplier: number,
  ): void;
  logSoftmaxBackward(
    gradOutput: Float32Array,
    output: Float32Array,
    out: Float32Array,
    rows: number,
    length: number,
    multiplier: number,
  ): void;
  /** out: length × length floats a row, not overlapping the input. */
  softmaxJacobian(output: Float32Array, out: Float32Array, rows: number, length: number): void;
  /**
   * targets: a class, or a negative number for a row to ignore. loss, logSumExp: one float a row. grad: like the
   * logits, or the logits. gradLoss: gradient of the result with respect to each row's loss.
   */
  crossEntropy(
    logits: Float32Array,
    targets: Int32Array,
    loss: Float32Array,
    logSumExp: Float32Array,
    grad: Float32Array | undefined,
    rows: number,
    length: number,
    multiplier: number,
    gradLoss: number,
  ): void;
}
