// Errors in ULP against float64, over row lengths up to a million and logit scales up to 10^4.
// A float64 reference is good to about 10^-15, a float32 ULP is about 10^-7.

import { backend, crossEntropy, logSoftmax, logSumExp, softmax } from 'softmax-native';
import { afterAll, describe, expect, it } from 'vitest';
import { lengths as corpusLengths, corpusRows, longest } from './helpers/corpus.mjs';

/** mulberry32 */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

const random = randomNumbers(1);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const kinds: Record<string, (length: number, scale: number) => Float32Array> = {
  normal: (length, scale) => Float32Array.from({ length }, () => normal() * scale),
  // The hardest for a sum: every addition rounds the same way.
  equal: (length, scale) => new Float32Array(length).fill(normal() * scale),
  'few values': (length, scale) => {
    const values = [normal() * scale, normal() * scale, normal() * scale];
    return Float32Array.from({ length }, () => values[Math.floor(random() * 3)] as number);
  },
  'one dominant': (length, scale) => {
    const row = Float32Array.from({ length }, () => normal());
    row[Math.floor(random() * length)] = 1 + random() * Math.min(scale, 30);
    return row;
  },
};

const lengths = [1, 2, 3, 5, 10, 31, 32, 33, 64, 100, 255, 257, 1000, 4096, 4097, 32000, 1000000];
const scales = [0.1, 1, 3, 10, 60, 400, 1e4];
const elementsPerCase = 3000;
const mostRowsPerCase = 150;

function* rows(longest = 32000) {
  for (const [kind, make] of Object.entries(kinds))
    for (const length of lengths.filter((candidate) => candidate <= longest))
      for (const scale of length > 1e5 ? [3] : scales)
        for (let i = 0; i < Math.min(elementsPerCase / length, mostRowsPerCase); i++)
          yield { row: make(length, scale), what: `${kind}, ${length} classes, scale ${scale}` };
}

/** These, and those of the same-bits corpus that have an answer. */
function* softmaxRows() {
  yield* rows(1e6);
  for (const { row } of corpusRows([...corpusLengths, longest]))
    if (row.some((x) => x > Number.NEGATIVE_INFINITY)) yield { row, what: `corpus, ${row.length} classes` };
}

/** exp(x − max) in float64, and their sum. */
function exactExponentials(row: Float32Array) {
  let max = Number.NEGATIVE_INFINITY;
  for (const x of row) max = Math.max(max, x);
  const e = Float64Array.from(row, (x) => Math.exp(x - max));
  let sum = 0;
  for (const value of e) sum += value;
  return { max, e, sum };
}

/** The float32 ULP of a value; below 2^−126 that of the denormals. */
const ulp = (value: number) => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 23);

class Worst {
  error = 0;
  where = 'nowhere';
  see(error: number, where: string): void {
    if (error <= this.error) return;
    this.error = error;
    this.where = where;
  }
}

describe('accuracy', () => {
  const worst = { softmax: new Worst(), logSoftmax: new Worst(), logSumExp: new Worst(), loss: new Worst() };
  afterAll(() => {
    for (const [name, { error, where }] of Object.entries(worst))
      console.info(`${backend.isa ?? 'js'} ${name}: worst ${error.toFixed(3)} (${where})`);
  });

  it('softmax: every element within 4 ULP, exactly 0 below 2^-126 of the largest', () => {
    for (const { row, what } of softmaxRows()) {
      const p = softmax(row);
      const { max, e, sum } = exactExponentials(row);
      let error = 0;
      let notFlushed = 0;
      for (let i = 0; i < row.length; i++) {
        const exact = (e[i] as number) / sum;
        const depth = (row[i] as number) - max;
        // At the threshold itself the comparison is between rounded numbers.
        if (depth < -87.34 - Math.abs(max) * 2 ** -24) notFlushed += p[i] === 0 ? 0 : 1;
        else if (depth > -87.33 + Math.abs(max) * 2 ** -24)
          error = Math.max(error, Math.abs((p[i] as number) - exact) / ulp(exact));
      }
      worst.softmax.see(error, what);
      expect(notFlushed, what).toBe(0);
      expect(error, what).toBeLessThanOrEqual(4);
    }
  });

  it('logSoftmax and logSumExp: within 4 ULP, or 1 ULP of the largest |logit|', () => {
    for (const { row, what } of rows()) {
      const logP = logSoftmax(row);
      const { max, sum } = exactExponentials(row);
      let largest = 0;
      for (const x of row) largest = Math.max(largest, Math.abs(x));
      const allowance = ulp(largest);
      const logSum = Math.log(sum);
      let error = 0;
      for (let i = 0; i < row.length; i++) {
        const exact = (row[i] as number) - max - logSum;
        error = Math.max(error, Math.abs((logP[i] as number) - exact) / Math.max(4 * ulp(exact), allowance));
      }
      worst.logSoftmax.see(error, `${what}; in units of what is allowed`);
      expect(error, what).toBeLessThanOrEqual(1);
      const exact = max + logSum;
      const lseError = Math.abs((logSumExp(row)[0] as number) - exact) / Math.max(4 * ulp(exact), allowance);
      worst.logSumExp.see(lseError, `${what}; in units of what is allowed`);
      expect(lseError, what).toBeLessThanOrEqual(1);
    }
  });

  it("crossEntropy: the loss and the target's own gradient within 1e-6, as p_y → 1 too", () => {
    for (const { row, what } of rows()) {
      if (row.length < 2) continue;
      let target = Math.floor(random() * row.length);
      // Half of the rows: the most probable class.
      if (random() < 0.5)
        for (let i = 0; i < row.length; i++) if ((row[i] as number) > (row[target] as number)) target = i;
      const { loss, grad } = crossEntropy(row, new Int32Array([target]), { grad: true });
      const y = row[target] as number;
      let others = 0;
      for (let i = 0; i < row.length; i++) if (i !== target) others += Math.exp((row[i] as number) - y);
      // others is exp(z_j − z_y): infinite where the target is far below the maximum.
      const { max, sum } = exactExponentials(row);
      const exactLoss = others < 1e300 ? Math.log1p(others) : max - y + Math.log(sum);
      const exactGrad = others < 1e300 ? -others / (1 + others) : -1;
      // What is flushed below 2^−126 of the largest is missing.
      const floor = row.length * 2 ** -126;
      const lossError = (Math.abs(loss - exactLoss) - floor) / exactLoss;
      const gradError = (Math.abs((grad?.[target] as number) - exactGrad) - floor) / -exactGrad;
      worst.loss.see(Math.max(lossError, gradError) * 2 ** 24, `${what}; in units of 2^-24`);
      if (exactLoss > floor) expect(lossError, what).toBeLessThanOrEqual(1e-6);
      if (exactGrad < -floor) expect(gradError, what).toBeLessThanOrEqual(1e-6);
    }
  });
});
