// Plain calls (kernels.ts) through the module's memory: float32 rows, whose results take the place of their inputs.

import { partOf } from '../../typed-arrays.js';
import { jsPlainKernels } from '../js/plain-kernels.js';
import { type PlainKernels, smallRows } from '../kernels.js';
import { aligned, type Instance } from './instance.js';

/** Of all arrays of a block: what a second-level cache holds. */
const blockBytes = 2 ** 18;
/** A longer row is left to JavaScript. */
const mostBytes = 2 ** 28;
/** Up to so many elements a loop copies faster than set() does. */
const loopElements = 48;

const { set } = Float32Array.prototype;

const dtypes = { float32: 0, float64: 1, int32: 4 };

export function wasmPlainKernels(instance: Instance, numberOf: (name: string) => number): PlainKernels {
  const crossEntropy = numberOf('crossEntropy');
  // Those of JavaScript, which may compute a call in place of the module.
  const { batch } = jsPlainKernels;

  /** Of a and, if it is there, b: the results come where a was. False if JavaScript has to. */
  function compute(
    operation: number,
    a: Float32Array,
    b: Float32Array | undefined,
    out: Float32Array,
    elements: number,
    length: number,
  ): boolean {
    const inputs = b === undefined ? 1 : 2;
    if (4 * length * inputs > mostBytes) return false;
    const most = Math.max(1, Math.floor(blockBytes / (4 * length * inputs)));
    const block = Math.min(elements, most * length);
    const size = aligned(4 * block + 16);
    instance.reserve(size * inputs, elements);
    const at = instance.heap;
    const second = at + size;
    const { floats } = instance;
    for (let begin = 0; begin < elements; begin += block) {
      const count = Math.min(block, elements - begin);
      instance.writePlainCall(operation, count / length, length, 0);
      instance.writeArray(0, at, 0);
      if (b !== undefined) instance.writeArray(1, second, 0);
      instance.writeArray(inputs, at, 0);
      if (count <= loopElements) {
        const first = at / 4;
        for (let i = 0; i < count; i++) floats[first + i] = a[begin + i] as number;
        if (b !== undefined) for (let i = 0; i < count; i++) floats[second / 4 + i] = b[begin + i] as number;
        instance.exports.compute();
        for (let i = 0; i < count; i++) out[begin + i] = floats[first + i] as number;
      } else {
        floats.set(partOf(a, begin, count), at / 4);
        if (b !== undefined) floats.set(partOf(b, begin, count), second / 4);
        instance.exports.compute();
        set.call(partOf(out, begin, count), floats.subarray(at / 4, at / 4 + count));
      }
    }
    instance.release();
    return true;
  }

  const unary = (name: 'softmax' | 'logSoftmax') => {
    const operation = numberOf(name);
    const js = jsPlainKernels[name];
    return (x: Float32Array, out: Float32Array, elements: number, length: number): void => {
      if (!compute(operation, x, undefined, out, elements, length)) js(x, out, elements, length);
    };
  };
  const binary = (name: 'softmaxBackward' | 'logSoftmaxBackward') => {
    const operation = numberOf(name);
    const js = jsPlainKernels[name];
    return (a: Float32Array, b: Float32Array, out: Float32Array, elements: number, length: number): void => {
      if (!compute(operation, a, b, out, elements, length)) js(a, b, out, elements, length);
    };
  };

  return {
    softmax: unary('softmax'),
    logSoftmax: unary('logSoftmax'),
    softmaxBackward: binary('softmaxBackward'),
    logSoftmaxBackward: binary('logSoftmaxBackward'),
    batch,

    crossEntropy(logits, grad, elements, length, gradLoss) {
      if (4 * length > mostBytes) {
        jsPlainKernels.crossEntropy(logits, grad, elements, length, gradLoss);
        return;
      }
      const rowCount = elements / length;
      const most = Math.min(rowCount, Math.max(1, Math.floor(blockBytes / (4 * length))));
      const beside = aligned(4 * most * length + 16);
      instance.reserve(beside + 16 * smallRows, elements);
      const at = instance.heap;
      const losses = at + beside;
      const logSumExps = losses + 8 * smallRows;
      const classes = logSumExps + 4 * smallRows;
      const { floats, integers } = instance;
      const lossOf = instance.doublesAt(losses, smallRows);
      for (let first = 0; first < rowCount; first += most) {
        const rows = Math.min(most, rowCount - first);
        const begin = first * length;
        const count = rows * length;
        instance.writePlainCall(crossEntropy, rows, length, gradLoss);
        instance.writeArray(0, at, dtypes.float32);
        instance.writeArray(1, at, dtypes.float32);
        instance.writeArray(2, losses, dtypes.float64);
        instance.writeArray(3, logSumExps, dtypes.float32);
        instance.writeArray(4, classes, dtypes.int32);
        for (let row = 0; row < rows; row++)
          integers[classes / 4 + row] = batch.classes[first + row] as number;
        floats.set(partOf(logits, begin, count), at / 4);
        instance.exports.compute();
        set.call(partOf(grad, begin, count), floats.subarray(at / 4, at / 4 + count));
        for (let row = 0; row < rows; row++) {
          batch.loss[first + row] = lossOf[row] as number;
          batch.logSumExp[first + row] = floats[logSumExps / 4 + row] as number;
        }
      }
      instance.release();
    },
  };
}
