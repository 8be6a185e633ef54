// The data of a case: the same in every process.

import { Random } from '../test/helpers/random.js';
import { type Case, type DType, rowsOf } from './cases.js';
import { decode, encode } from './halves.js';
import { type Numbers, plainSoftmax, type Rows } from './plain.js';

export type Data = Float32Array | Float64Array | Uint16Array;

/** Elements as the type has them, and what numbers they are: the same array unless they have 16 bits. */
export interface Elements {
  readonly data: Data;
  readonly values: Numbers;
}

export interface Problem extends Case {
  readonly where: Rows;
  /** Logits; for the backward pass the gradient with respect to its output. */
  readonly input: Elements;
  /** Of the backward pass: what softmax returned. */
  readonly output: Elements | undefined;
  /** Of crossEntropy: a class a row. */
  readonly target: Int32Array;
  /** Where the result goes. */
  readonly out: Data;
}

export function newData(dtype: DType, length: number): Data {
  if (dtype === 'float32') return new Float32Array(length);
  return dtype === 'float64' ? new Float64Array(length) : new Uint16Array(length);
}

/** 16-bit data as numbers; other data itself. */
export function valuesOf(data: Data, dtype: DType): Numbers {
  if (!(data instanceof Uint16Array)) return data;
  const values = new Float32Array(data.length);
  decode(data, dtype, values);
  return values;
}

/** Rounded to the type. */
function elements(numbers: Float64Array, dtype: DType): Elements {
  const data = newData(dtype, numbers.length);
  if (data instanceof Uint16Array) encode(Float32Array.from(numbers), dtype, data);
  else data.set(numbers);
  return { data, values: valuesOf(data, dtype) };
}

/** A prime, so that rows differ; and few enough that to draw them takes no time. */
const drawn = 65521;

/** Of deviation 3, as logits have. */
function normals(random: Random, length: number): Float64Array {
  const pool = Float64Array.from({ length: Math.min(drawn, length) }, () => random.normal(3));
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i += pool.length) numbers.set(pool.subarray(0, length - i), i);
  return numbers;
}

export function problemOf(problemCase: Case): Problem {
  const { operation, dtype, shape } = problemCase;
  const { rows, classes } = rowsOf(shape);
  const where =
    shape.axis === 1
      ? { rows, classes, step: 1, rowStep: classes }
      : { rows, classes, step: rows, rowStep: 1 };
  const random = new Random(1);
  const length = rows * classes;
  const numbers = normals(random, length);
  const input = elements(numbers, dtype);
  let output: Elements | undefined;
  if (operation === 'softmaxBackward') {
    plainSoftmax(normals(random, length), numbers, where);
    output = elements(numbers, dtype);
  }
  const target = random.classes(operation === 'crossEntropy' ? rows : 0, classes);
  return { ...problemCase, where, input, output, target, out: newData(dtype, length) };
}
