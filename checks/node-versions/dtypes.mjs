// Every function on every dtype, for any Node version: prints one SHA-256 per dtype of all results.
//   node checks/node-versions/dtypes.mjs
// float16 goes in as the bits in a Uint16Array, and as a Float16Array too where the runtime has it: the same bits.
// Plain JavaScript with no dependency, on the built package.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { argumentsOf, isLoss, signatures, takes } from '../../build/signatures.mjs';
import * as api from '../../dist/index.mjs';

const functions = { ...api };

let state = 1;
/** Random 32-bit integers: a counter through murmur3's finaliser. */
function random() {
  state = (state + 0x9e3779b9) >>> 0;
  let z = state;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** 16-bit floats as bits: magnitudes in [2^low, 2^(low + 8)), either sign. */
const halves = (mantissaBits, bias) => (length, low) =>
  Uint16Array.from({ length }, () => {
    const exponent = bias + low + (random() % 8);
    return ((random() & 1) << 15) | (exponent << mantissaBits) | (random() & ((1 << mantissaBits) - 1));
  });
const dyadic = (kind) => (length, low) =>
  kind.from({ length }, () => ((random() % 65536) - 32768) * 2 ** (low - 7));

const { Float16Array } = globalThis;
const asFloat16 = (bits) => new Float16Array(bits.buffer, bits.byteOffset, bits.length);

/** How to make an array of each dtype, and what options name it. */
const dtypes = {
  float32: { make: dyadic(Float32Array), options: {} },
  float64: { make: dyadic(Float64Array), options: {} },
  float16: { make: halves(10, 15), options: { dtype: 'float16' } },
  bfloat16: { make: halves(7, 127), options: { dtype: 'bfloat16' } },
};

const shapes = [[1], [3, 1], [2, 7], [5, 33, 2], [2, 3, 64], [1, 5000]];
const axisSizes = (shape, axis) => ({
  length: shape.at(axis),
  rows: shape.reduce((a, b) => a * b) / shape.at(axis),
});

/** All results of all functions: arrays, and losses as numbers. */
function* results({ make, options }, wrap) {
  for (const shape of shapes)
    for (const axis of shape.keys()) {
      const size = shape.reduce((a, b) => a * b);
      const { length, rows } = axisSizes(shape, axis);
      const common = { ...options, shape, axis };
      const x = make(size, -4);
      const other = make(size, -4);
      const g = make(size, -7);
      const mask = Uint8Array.from({ length: size }, () => random() & 3);
      const temperature = Float64Array.from({ length: rows }, () => 0.5 + (random() % 16) / 8);
      const target = Int32Array.from({ length: rows }, () => random() % length);
      target[0] = -100;
      const weight = Float64Array.from({ length }, () => (random() % 16) / 8);
      for (const more of [{}, { temperature: 0.7, scale: -0.5 }, { temperature, mask }]) {
        const all = { ...common, ...more };
        const p = api.softmax(wrap(x), all);
        const logP = api.logSoftmax(wrap(x), all);
        yield* [p, logP];
        yield api.softmaxBackward(wrap(g), p, all);
        yield api.logSoftmaxBackward(wrap(g), logP, all);
        for (const signature of signatures.filter(({ holds }) => !holds)) {
          const isSquare = signature.result === 'square';
          if (isSquare && (axis < shape.length - 1 || length > 64)) continue;
          const arrays = [x, other].slice(0, signature.inputs.length).map(wrap);
          const own = takes(signature, 'temperature') ? all : common;
          const asked = isLoss(signature) ? { ...own, grad: true, reduction: 'none' } : own;
          const result = functions[signature.name](...argumentsOf(signature, arrays, target, asked));
          yield* isLoss(signature) ? [result.loss, result.grad] : [result];
        }
        // Where 16 bits are computed in float32, float32 can come out.
        if (options.dtype)
          yield api.softmax(
            { data: wrap(x), dims: shape, type: options.dtype },
            { axis, ...more, dtype: 'float32' },
          ).data;
        const index = api.crossEntropy(wrap(x), target, { ...all, grad: true, weight, labelSmoothing: 0.1 });
        yield* [index.loss, index.logSumExp, index.grad];
        const none = api.crossEntropy(wrap(x), target, {
          ...all,
          grad: true,
          reduction: 'none',
          logProbs: true,
        });
        yield* [none.loss, none.grad, none.logProbs];
        // A bare Uint16Array would be class indices.
        const probabilities = options.dtype ? { data: p, dims: shape, type: options.dtype } : p;
        const dense = api.crossEntropy(wrap(x), probabilities, { ...all, grad: true, reduction: 'sum' });
        yield* [dense.loss, dense.grad];
        const distilled = api.distillationLoss(wrap(x), wrap(other), {
          ...all,
          temperature: 2,
          alpha: 0.75,
          target,
          grad: true,
        });
        yield* [distilled.loss, distilled.grad];
        const nll = api.nllLoss(logP, target, { ...common, weight, grad: true });
        yield* [nll.loss, nll.grad];
      }
    }
}

function hashOf(name, wrap) {
  state = 1;
  const hash = createHash('sha256');
  let count = 0;
  for (const result of results(dtypes[name], wrap)) {
    count++;
    // NaN as a JavaScript number has no bits of its own.
    const array =
      typeof result === 'number' ? Float64Array.of(Number.isNaN(result) ? 0.123 : result) : result;
    const isHalf = array.BYTES_PER_ELEMENT === 2;
    if (isHalf) assert.equal(array.constructor, wrap(new Uint16Array(1)).constructor);
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  assert.ok(count > 500);
  return hash.digest('hex').slice(0, 16);
}

const hashes = Object.keys(dtypes).map((name) => {
  const hash = hashOf(name, (array) => array);
  if (name === 'float16' && Float16Array)
    assert.equal(hashOf(name, asFloat16), hash, 'Float16Array and its bits');
  return `${name} ${hash}`;
});
const kinds = Float16Array ? 'Float16Array and Uint16Array' : 'Uint16Array';
console.error(`dtypes: Node ${process.versions.node}, ${api.backend.isa ?? 'js'}, float16 as ${kinds}`);
console.log(hashes.join('\n'));
