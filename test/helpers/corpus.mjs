// The corpus of the same-bits promise: every function over many rows, one SHA-256 per function.
//
// Plain JavaScript so that the bare Node of an emulated machine can run it. Rows are made from integers by exact
// operations only, so that they are the same everywhere.

import { createHash } from 'node:crypto';

/** Random 32-bit integers: a counter through murmur3's finaliser. */
function randomBits(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

/** In [−1, 1), 24 bits: exact in float32. */
const uniform = (bits) => ((bits() >>> 8) - 8388608) / 8388608;

const scales = [1, 10, 60, 400, 1e6, 1e30];
const specials = [Number.NEGATIVE_INFINITY, -1e9, -3.4e38, 0, -0, 1e-42, -1e-45];

function rowOf(length, scale, withSpecials, bits) {
  const row = new Float32Array(length);
  for (let i = 0; i < length; i++) row[i] = uniform(bits) * scale;
  if (withSpecials) for (let i = 0; i < length; i += 3) row[i] = specials[bits() % specials.length];
  return row;
}

/** Lengths 1–130 and those around a block; the longest only once, on the cheap functions. */
export const lengths = [...Array.from({ length: 130 }, (_, i) => i + 1), 1000, 4095, 4096, 4097, 20000];
export const longest = 1000003;

/** The corpus: one row at a time, with the source of what else is random about it. */
export function* corpusRows(lengthsWanted) {
  const bits = randomBits(20261122);
  for (const length of lengthsWanted)
    for (const scale of scales)
      for (const withSpecials of [false, true]) yield { row: rowOf(length, scale, withSpecials, bits), bits };
}

const scalings = [
  {},
  { temperature: 0.7 },
  { scale: -0.125 },
  { temperature: 1e4 },
  { temperature: Infinity },
];

/** SHA-256 of the little-endian bytes of what each function returns. */
export function corpusHashes(api, withLongest = true) {
  const hashes = {};
  const add = (name, ...arrays) => {
    hashes[name] ??= createHash('sha256');
    for (const { buffer, byteOffset, byteLength } of arrays)
      hashes[name].update(new Uint8Array(buffer, byteOffset, byteLength));
  };

  for (const { row, bits } of corpusRows(lengths)) {
    // Each scaling costs as much as the plain call: one of them per row.
    for (const scaling of [scalings[0], scalings[1 + (bits() % 4)]]) {
      const p = api.softmax(row, scaling);
      const logP = api.logSoftmax(row, scaling);
      add('softmax', p);
      add('logSoftmax', logP);
      add('logSumExp', api.logSumExp(row, scaling));
      const gradOutput = rowOf(row.length, 1, false, bits);
      add('softmaxBackward', api.softmaxBackward(gradOutput, p, scaling));
      add('logSoftmaxBackward', api.logSoftmaxBackward(gradOutput, logP, scaling));
      const target = new Int32Array([bits() % row.length]);
      const { loss, grad, logSumExp } = api.crossEntropy(row, target, { ...scaling, grad: true });
      // The loss is a JavaScript number, whose NaN has no bits of its own.
      add('crossEntropy', new Float64Array([Number.isNaN(loss) ? 0.123 : loss]), grad, logSumExp);
      if (row.length <= 64) add('softmaxJacobian', api.softmaxJacobian(p));
    }
    add('temperature 0', api.softmax(row, { temperature: 0 }), api.logSoftmax(row, { temperature: 0 }));
  }
  if (withLongest)
    for (const { row } of corpusRows([longest])) {
      add('longest softmax', api.softmax(row));
      add('longest logSumExp', api.logSumExp(row));
    }
  return Object.fromEntries(Object.entries(hashes).map(([name, hash]) => [name, hash.digest('hex')]));
}
