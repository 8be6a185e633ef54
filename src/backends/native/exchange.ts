// The memory that the addon shares with TypeScript: the numbers of a call, and the classes and results of a few rows, as
// each array that is an argument costs a Node-API call. struct Exchange and enum Number of native/addon/arguments.h.

import {
  type CrossEntropyProblem,
  type ElementType,
  type ScaledRows,
  type SmallBatch,
  smallRows,
} from '../kernels.js';

/** SoftmaxDType of native/kernels/kernel-abi.h. */
const dtypeNumbers: Readonly<Record<ElementType, number>> = {
  ...{ float32: 0, float64: 1, float16: 2, bfloat16: 3 },
  int32: 4,
};

/** What argument `index` is of, as part of the number of all dtypes. */
export const dtypeBits = (dtype: ElementType, index: number): number => dtypeNumbers[dtype] << (4 * index);

/** The fields of the exchange: `numbers` in the order of enum Number; smallRows of each that there is per row. */
export class Exchange {
  readonly batch: SmallBatch;
  /** What is known of a row (../block-fields.ts), where the results of a batch are, too. */
  readonly fields: Float64Array;
  /** Of the job that a call is to begin; 0: it is to compute. */
  job = 0;
  readonly #numbers: Float64Array;
  readonly #logSumExps: Float64Array;

  constructor(memory: ArrayBuffer) {
    const lossBegin = 128;
    const logSumExpBegin = lossBegin + 8 * smallRows;
    const classesBegin = logSumExpBegin + 8 * smallRows;
    this.#numbers = new Float64Array(memory, 0, 16);
    this.fields = new Float64Array(memory, lossBegin, 2 * smallRows);
    this.#logSumExps = new Float64Array(memory, logSumExpBegin, smallRows);
    this.batch = {
      classes: new Int32Array(memory, classesBegin, smallRows),
      loss: new Float64Array(memory, lossBegin, smallRows),
      logSumExp: new Float32Array(memory, logSumExpBegin, smallRows),
    };
  }

  /** Float32 rows of the last axis, used as they are, by an operation that has no other numbers. */
  writePlainCall(operation: number, rows: number, length: number): void {
    const numbers = this.#numbers;
    numbers[0] = operation;
    numbers[1] = rows;
    numbers[2] = length;
    numbers[3] = 1;
    numbers[5] = 1;
    numbers[8] = 0;
    numbers[9] = 0;
    numbers[10] = 0;
    numbers[11] = 0;
  }

  /** dtypes: dtypeBits of each array. */
  writeCall(operation: number, { outer, length, inner, mask, multiplier }: ScaledRows, dtypes: number): void {
    const numbers = this.#numbers;
    numbers[0] = operation;
    numbers[1] = outer;
    numbers[2] = length;
    numbers[3] = inner;
    numbers[4] = mask ? mask.step : 0;
    numbers[5] = typeof multiplier === 'number' ? multiplier : 1;
    numbers[8] = dtypes;
    numbers[11] = this.job;
  }

  /** What an operation takes beside arrays. */
  writeNumbers(first: number, second: number): void {
    const numbers = this.#numbers;
    numbers[6] = first;
    numbers[7] = second;
  }

  /** Bit i of `present`: argument i, an optional one, is there. */
  writePresent(present: number, isSmall: boolean): void {
    const numbers = this.#numbers;
    numbers[9] = present;
    numbers[10] = isSmall ? 1 : 0;
  }

  writeClasses(given: Int32Array, rowCount: number): void {
    const { classes } = this.batch;
    for (let row = 0; row < rowCount; row++) classes[row] = given[row] as number;
  }

  readResults({ logits, loss, logSumExp }: CrossEntropyProblem, rowCount: number): void {
    const { batch } = this;
    const logSumExps = logits.dtype === 'float64' ? this.#logSumExps : batch.logSumExp;
    for (let row = 0; row < rowCount; row++) {
      loss[row] = batch.loss[row] as number;
      logSumExp[row] = logSumExps[row] as number;
    }
  }
}
