// The cases of test/references/pytorch-*.json: options, and a seed that the inputs are drawn from, in the same order
// as tools/pytorch_inputs.py draws them. Written by tools/pytorch-references.py.

import { readFileSync } from 'node:fs';
import { Random } from './random.js';
import { at } from './rows.js';

export interface Case {
  readonly seed: number;
  readonly dtype: 'float32' | 'float64';
  readonly shape: readonly number[];
  /** Of the classes. */
  readonly axis: number;
  /** Logits lie between this and its negative. */
  readonly spread: number;
  readonly operator?: 'softmax' | 'logSoftmax';
  readonly teacher?: true;
  readonly target?: 'indices' | 'probabilities';
  readonly sumToOne?: true;
  readonly ignoreIndex?: number;
  readonly allIgnored?: true;
  readonly emptyMean?: 'zero';
  readonly weight?: true;
  readonly labelSmoothing?: number;
  readonly alpha?: number;
  readonly temperature?: number | 'rows';
  readonly scale?: number;
  readonly mask?: 'classes' | 'elements';
  /** Some logits are −Infinity. */
  readonly infinite?: true;
  /** The mask may drop a target, and its logit be −Infinity. */
  readonly dropsTargets?: true;
  readonly reduction?: 'mean' | 'sum' | 'none';
  readonly gradOutput?: number | 'rows';
  /** PyTorch's, float64, little-endian, in base64. */
  readonly loss: string;
  readonly output: string;
  readonly grad: string;
}

export function readCases(name: string): Case[] {
  const file = new URL(`../references/pytorch-${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).cases;
}

export function decoded(base64: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float64Array(bytes.buffer);
}

export type Floats = Float32Array | Float64Array;

export interface Inputs {
  readonly rows: number;
  readonly classes: number;
  /** The index of class c of a row. */
  readonly place: (row: number, c: number) => number;
  readonly logits: Floats;
  readonly teacher: Floats | undefined;
  /** The incoming gradient of a forward function. */
  readonly incoming: Floats | undefined;
  /** Classes, one per row. */
  readonly indices: readonly number[];
  readonly probabilities: Floats | undefined;
  readonly weight: Floats | undefined;
  /** One per row. */
  readonly temperature: readonly number[];
  /** One per row; the same one for a reduced loss. */
  readonly gradOutput: readonly number[];
  /** One per class, or one an element; 1 is kept. */
  readonly mask: Uint8Array | undefined;
}

export function inputsOf(given: Case): Inputs {
  const random = new Random(given.seed);
  const { shape, axis, spread } = given;
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const classes = at(shape, axis);
  const size = product(shape);
  const inner = product(shape.slice(axis + 1));
  const rows = product(shape.slice(0, axis)) * inner;
  const place = (row: number, c: number) => (Math.floor(row / inner) * classes + c) * inner + (row % inner);
  const newFloats = (length: number): Floats =>
    given.dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  const draw = (length: number, low: number, high: number): Floats =>
    newFloats(length).map(() => random.uniform(low, high));

  const logits = draw(size, -spread, spread);
  const teacher = given.teacher && draw(size, -spread, spread);
  const incoming = given.operator && draw(size, -2, 2);

  const indices: number[] = Array(rows).fill(0);
  const { ignoreIndex = -100 } = given;
  if (given.target === 'indices')
    for (let row = 0; row < rows; row++) {
      indices[row] = random.integer(classes);
      const isIgnored = given.ignoreIndex !== undefined && random.uniform() < 0.25;
      if (isIgnored || given.allIgnored) indices[row] = ignoreIndex;
    }
  let probabilities: Floats | undefined;
  if (given.target === 'probabilities') {
    probabilities = newFloats(size);
    for (let row = 0; row < rows; row++) {
      const drawn = Array.from({ length: classes }, () => random.uniform());
      const cut = drawn.map((t) => (given.infinite || t >= 0.2 ? t : 0));
      const sum = cut.reduce((a, b) => a + b, 0);
      const total = given.sumToOne && sum > 0 ? sum : 1;
      cut.forEach((t, c) => {
        (probabilities as Floats)[place(row, c)] = t / total;
      });
    }
  }

  let weight: Floats | undefined;
  if (given.weight) {
    weight = draw(classes, 0.25, 2);
    if (!given.infinite && random.uniform() < 0.5) weight[random.integer(classes)] = 0;
  }
  const perRow = <Value>(value: number | 'rows' | undefined, one: number, drawOne: () => Value) =>
    Array.from({ length: rows }, () => (value === 'rows' ? drawOne() : (value ?? one)));
  const temperature = perRow(given.temperature, 1, () => random.uniform(0.5, 3)) as number[];
  const gradOutput = perRow(given.gradOutput, 1, () => at(draw(1, -2, 2), 0)) as number[];

  let mask: Uint8Array | undefined;
  if (given.mask === 'classes') {
    mask = Uint8Array.from({ length: classes }, (_, c) => (c === 0 || random.uniform() < 0.7 ? 1 : 0));
    indices.forEach((y, row) => {
      if (y !== ignoreIndex && mask?.[y] === 0) indices[row] = 0;
    });
  }
  const visitOthers = (probability: number, visit: (index: number) => void) => {
    for (let row = 0; row < rows; row++)
      for (let c = 1; c < classes; c++)
        if ((given.dropsTargets || c !== indices[row]) && random.uniform() < probability)
          visit(place(row, c));
  };
  if (given.mask === 'elements') {
    const elements = new Uint8Array(size).fill(1);
    visitOthers(0.3, (index) => {
      elements[index] = 0;
    });
    mask = elements;
  }
  if (given.infinite)
    visitOthers(0.15, (index) => {
      logits[index] = -Infinity;
    });
  return {
    rows,
    classes,
    place,
    logits,
    teacher,
    incoming,
    indices,
    probabilities,
    weight,
    temperature,
    gradOutput,
    mask,
  };
}
