// Tensors of ONNX Runtime and of transformers.js, as they are: no conversion, no copy of their data.
//   npm run setup && npm start        (after `npm run build:all` of the package)

import assert from 'node:assert/strict';
import { Tensor as TransformersTensor } from '@huggingface/transformers';
import { Tensor as OrtTensor } from 'onnxruntime-node';
import { backend, crossEntropy, softmax } from 'softmax-native';

// What it comes to. TypeScript agrees (npx tsc -p examples/interop).
{
  const logits = new OrtTensor('float32', Float32Array.of(1, 2, 3, 0, 0, 0), [2, 3]);
  const { type, data, dims } = softmax(logits);
  const probabilities = new OrtTensor(type, data, dims);
  assert.equal(probabilities.data, data);
  assert.equal(softmax(logits, { out: logits }), logits);

  const other = new TransformersTensor('float32', Float32Array.of(1, 2, 3, 0, 0, 0), [2, 3]);
  const labels = new TransformersTensor('int64', BigInt64Array.of(2n, 0n), [2]);
  const { loss, grad } = crossEntropy(other, labels, { grad: true });
  assert.equal(loss.toFixed(4), '0.7531');
  assert.deepEqual(new TransformersTensor(grad.type, grad.data, [...grad.dims]).dims, [2, 3]);
}

/** @param {ArrayLike<number>} actual @param {number[]} wanted */
function assertClose(actual, wanted) {
  assert.equal(actual.length, wanted.length);
  wanted.forEach((value, i) => {
    assert.ok(Math.abs(Number(actual[i]) - value) < 1e-4, `element ${i} is ${actual[i]}, not ${value}`);
  });
}

const values = [1, 2, 3, 0, 0, 0];
const lastAxis = [0.09, 0.2447, 0.6652, 0.3333, 0.3333, 0.3333];
const firstAxis = [0.7311, 0.8808, 0.9526, 0.2689, 0.1192, 0.0474];

/** @param {string} library @param {any} Tensor either library's class: both have the same fields */
function check(library, Tensor) {
  const logits = new Tensor('float32', Float32Array.from(values), [2, 3]);

  // The result has the fields that the constructor takes, and its memory becomes the tensor's.
  const probabilities = softmax(logits);
  assertClose(probabilities.data, lastAxis);
  const tensor = new Tensor(probabilities.type, probabilities.data, probabilities.dims);
  assert.equal(tensor.data, probabilities.data);
  assert.deepEqual([tensor.type, [...tensor.dims]], ['float32', [2, 3]]);
  assertClose(softmax(logits, { axis: 0 }).data, firstAxis);
  assert.deepEqual([...logits.data], values, 'the input is untouched');

  // Integer tensors are class indices; the gradient is a tensor too.
  const labels = new Tensor('int64', BigInt64Array.of(2n, 0n), [2]);
  const { loss, grad } = crossEntropy(logits, labels, { grad: true });
  assertClose([Number(loss)], [(0.4076 + 1.0986) / 2]);
  const gradTensor = new Tensor(grad.type, grad.data, grad.dims);
  assert.equal(gradTensor.data, grad.data);
  assertClose(gradTensor.data, [0.045, 0.1224, -0.1674, -0.3333, 0.1667, 0.1667]);

  // In place: the tensor's own memory.
  const { data } = logits;
  assert.equal(softmax(logits, { out: logits }), logits);
  assert.equal(logits.data, data);
  assertClose(data, lastAxis);

  // float16 as the library holds it: a Float16Array where the runtime has it, else the bits in a Uint16Array.
  const half = new Tensor('float16', Uint16Array.of(0x3c00, 0x3c00), [2]);
  const halfResult = softmax(half);
  assert.equal(halfResult.type, 'float16');
  assert.equal(halfResult.data.constructor, half.data.constructor);
  const bits = new Uint16Array(halfResult.data.buffer, halfResult.data.byteOffset, 2);
  assert.deepEqual([...bits], [0x3800, 0x3800]);

  // No copy: a batch of 64 MB in place needs no 64 MB more.
  const large = new Tensor('float32', new Float32Array(2 ** 24).fill(1), [2 ** 14, 2 ** 10]);
  const before = process.memoryUsage();
  softmax(large, { out: large });
  const after = process.memoryUsage();
  const copied = Math.max(after.arrayBuffers - before.arrayBuffers, after.rss - before.rss);
  assert.ok(copied < 2 ** 24, `${copied} bytes more for a batch of ${large.data.byteLength}`);
  assertClose(large.data.subarray(0, 1), [2 ** -10]);
  console.log(`${library}: in, out, in place, loss and gradient (${backend.isa ?? 'js'})`);
}

check('onnxruntime-node', OrtTensor);
check('@huggingface/transformers', TransformersTensor);

// A tensor on a GPU is refused before its data is read, which would throw.
const onGpu = OrtTensor.fromGpuBuffer(/** @type {any} */ ({}), { dataType: 'float32', dims: [2, 3] });
const refusal = { name: 'TypeError', code: 'ERR_NOT_ON_CPU' };
assert.throws(() => softmax(onGpu), refusal);
assert.throws(() => crossEntropy(onGpu, Int32Array.of(0, 1)), refusal);
const onCpu = new OrtTensor('float32', new Float32Array(6), [2, 3]);
assert.throws(() => softmax(onCpu, { out: onGpu }), refusal);
console.log('a tensor on a GPU is refused');
