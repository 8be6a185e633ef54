// The memory that the addon shares with TypeScript: the numbers of a call, and the classes and results of a few rows, as
// each array that is an argument costs a Node-API call. struct Exchange of native/addon/arguments.h.

import {
  type CrossEntropyProblem,
  type DType,
  type Multipliers,
  type ScaledRows,
  type SmallBatch,
  smallRows,
} from '../kernels.js';

/** native/kernels/table.h has the same numbers. */
const dtypeNumbers: Readonly<Record<DType, number>> = { float32: 0, float64: 1, float16: 2, bfloat16: 3 };

/** The fields of the exchange; smallRows of each that is one per row. */
export class Exchange {
  readonly batch: SmallBatch;
  /** Of the job that a call is to begin; 0: it is to compute. */
  job = 0;
  readonly #numbers: Float64Array;
  readonly #losses: Float64Array;
  readonly #logSumExps: Float64Array;

  constructor(memory: ArrayBuffer) {
    const lossBegin = 128;
    const logSumExpBegin = lossBegin + 8 * smallRows;
    const classesBegin = logSumExpBegin + 8 * smallRows;
    this.#numbers = new Float64Array(memory, 0, 16);
    this.#losses = new Float64Array(memory, lossBegin, smallRows);
    this.#logSumExps = new Float64Array(memory, logSumExpBegin, smallRows);
    this.batch = {
      classes: new Int32Array(memory, classesBegin, smallRows),
      loss: new Float32Array(memory, lossBegin, smallRows),
      logSumExp: new Float32Array(memory, logSumExpBegin, smallRows),
    };
  }

  writeRows(outer: number, length: number, inner: number): void {
    const numbers = this.#numbers;
    numbers[0] = outer;
    numbers[1] = length;
    numbers[2] = inner;
    numbers[12] = this.job;
  }

  /** One dtype: that of number 0, and nothing else. */
  writePlainRows(rows: number, length: number): void {
    const numbers = this.#numbers;
    numbers[0] = rows;
    numbers[1] = length;
    numbers[2] = 1;
    numbers[4] = 1;
    numbers[5] = 0;
    numbers[6] = 0;
    numbers[7] = 0;
    numbers[10] = 0;
    numbers[11] = 0;
    numbers[12] = 0;
  }

  writeScaledRows({ outer, length, inner, mask, multiplier }: ScaledRows): void {
    const numbers = this.#numbers;
    numbers[0] = outer;
    numbers[1] = length;
    numbers[2] = inner;
    numbers[3] = mask ? mask.step : 0;
    numbers[4] = typeof multiplier === 'number' ? multiplier : 1;
    numbers[12] = this.job;
  }

  writeDTypes(a: DType, b: DType, c: DType): void {
    const numbers = this.#numbers;
    numbers[5] = dtypeNumbers[a];
    numbers[6] = dtypeNumbers[b];
    numbers[7] = dtypeNumbers[c];
  }

  writeGradLoss(gradLoss: Multipliers, labelSmoothing: number): void {
    const numbers = this.#numbers;
    numbers[8] = typeof gradLoss === 'number' ? gradLoss : 1;
    numbers[9] = labelSmoothing;
  }

  /** Bit i of `present`: argument i, an optional one, is there. */
  writePresent(present: number, isSmall: boolean): void {
    const numbers = this.#numbers;
    numbers[10] = present;
    numbers[11] = isSmall ? 1 : 0;
  }

  writeClasses(given: Int32Array, rowCount: number): void {
    const { classes } = this.batch;
    for (let row = 0; row < rowCount; row++) classes[row] = given[row] as number;
  }

  readResults({ logits, loss, logSumExp }: CrossEntropyProblem, rowCount: number): void {
    const isDouble = logits.dtype === 'float64';
    const losses = isDouble ? this.#losses : this.batch.loss;
    const logSumExps = isDouble ? this.#logSumExps : this.batch.logSumExp;
    for (let row = 0; row < rowCount; row++) {
      loss[row] = losses[row] as number;
      logSumExp[row] = logSumExps[row] as number;
    }
  }
}
