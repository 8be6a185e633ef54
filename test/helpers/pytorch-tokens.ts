// The cases of test/references/pytorch-tokens.json: options, and a seed that the inputs are drawn from, in the same order as
// tools/pytorch-tokens.py draws them, which has written them.

import { readFileSync } from 'node:fs';
import { Random } from './random.js';
import { at } from './rows.js';

interface TokenCase {
  readonly seed: number;
  readonly dtype: 'float32' | 'float64';
  readonly axis: 0 | 1;
  readonly rows: number;
  readonly classes: number;
  readonly spread: number;
  readonly ties?: true;
  /** How many logits are none that have a softmax. */
  readonly odd?: number;
  readonly dropped?: true;
}

export interface LargestCase extends TokenCase {
  readonly k: number;
  /** Of rows whose logits all differ. */
  readonly indices?: readonly (readonly number[])[];
  readonly values: string;
  readonly probabilities: string;
  readonly logProbabilities: string;
  readonly argMax: readonly number[];
}

/** Options of sample by their names; penalties and bias, as tools/pytorch_processors.py has them. */
export interface ProcessorsCase extends TokenCase {
  readonly repetition?: number;
  readonly frequency?: number;
  readonly presence?: number;
  readonly bias?: true;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly topNSigma?: number;
  readonly minKeep?: number;
  readonly keepTies?: true;
  readonly order?: 'temperature-last';
  /** How many classes each row keeps, which, and their log-probabilities. */
  readonly counts: readonly number[];
  readonly kept: string;
  readonly logProbs: string;
  /** Of a uniform number a row. */
  readonly tokens: readonly number[];
}

export interface TokenLogProbsCase extends TokenCase {
  readonly top: number;
  readonly logProbs: string;
  readonly ranks: readonly (readonly number[])[];
  readonly logSumExp: string;
  readonly topLogProbs: string;
}

export interface DivergenceCase extends TokenCase {
  readonly temperature?: number;
  readonly divergence: string;
}

export interface GumbelCase extends TokenCase {
  readonly temperature: number;
  readonly step: number;
  readonly soft: string;
  /** The class of each row. */
  readonly hard: readonly number[];
}

interface TokenCases {
  readonly largest: readonly LargestCase[];
  readonly processors: readonly ProcessorsCase[];
  readonly tokenLogProbs: readonly TokenLogProbsCase[];
  readonly divergence: readonly DivergenceCase[];
  readonly gumbel: readonly GumbelCase[];
}

export const readTokenCases = (): TokenCases =>
  JSON.parse(readFileSync(new URL('../references/pytorch-tokens.json', import.meta.url), 'utf8'));

const bytesOf = (base64: string): ArrayBuffer => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
export const floatsOf = (base64: string) => new Float32Array(bytesOf(base64));
export const classesOf = (base64: string) => new Uint16Array(bytesOf(base64));

export type Logits = Float32Array | Float64Array;

/** Rows along the case's axis, of rows one after another. */
export function laidOut<Values extends Logits | Int32Array>(
  { axis, rows }: TokenCase,
  ofRows: Values,
): Values {
  if (axis === 1) return ofRows;
  const each = ofRows.length / rows;
  return ofRows.map((_, i) => at(ofRows, (i % rows) * each + Math.floor(i / rows))) as Values;
}

/** The reverse: rows one after another. */
export function ofRows<Values extends Logits | Int32Array>(
  { axis, rows }: TokenCase,
  laid: Values,
): number[][] {
  const each = laid.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: each }, (_, k) => at(laid, axis === 1 ? row * each + k : k * rows + row)),
  );
}

export const shapeOf = ({ axis, rows, classes }: TokenCase) =>
  axis === 1 ? [rows, classes] : [classes, rows];

/** Inputs of a case, one after another. */
export class Inputs {
  readonly #case: TokenCase;
  readonly random: Random;

  constructor(given: TokenCase) {
    this.#case = given;
    this.random = new Random(given.seed);
  }

  /** Rows one after another. */
  logits(): Logits {
    const { rows, classes, dtype, spread, ties, odd, dropped } = this.#case;
    const { random } = this;
    const values = dtype === 'float32' ? new Float32Array(rows * classes) : new Float64Array(rows * classes);
    for (let i = 0; i < values.length; i++) values[i] = random.uniform(-spread, spread);
    if (ties) for (let i = 0; i < values.length; i++) values[i] = Math.floor(at(values, i) * 4) / 4;
    if (odd !== undefined) {
      const others = [Number.NaN, Infinity, -Infinity, 0, -0, -Infinity];
      for (let i = 0; i < values.length; i++)
        if (random.uniform() < odd) values[i] = at(others, random.integer(others.length));
    }
    if (dropped)
      for (let i = 0; i < values.length; i++)
        if (random.uniform() < 0.25 && i % classes > 0) values[i] = -Infinity;
    return values;
  }

  /** `count` of each row. */
  classes(count: number): Int32Array {
    const { rows, classes } = this.#case;
    return this.random.classes(rows * count, classes);
  }
}
