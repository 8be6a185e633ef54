// The corpus of the same-bits promise: every function over many rows, one SHA-256 per function.
//
// Plain JavaScript so that the bare Node of an emulated machine can run it. Rows are made from integers by exact
// operations only, so that they are the same everywhere.

import { createHash } from 'node:crypto';

/** Random 32-bit integers: a counter through murmur3's finaliser. */
export function randomBits(seed) {
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

/** Random elements of a dtype, none infinite or NaN, and the option that says what a Uint16Array holds. */
function elementsOf(dtype, length, scale, bits) {
  if (dtype === 'float32') return Float32Array.from({ length }, () => uniform(bits) * scale);
  if (dtype === 'float64')
    return Float64Array.from({ length }, () => (uniform(bits) + uniform(bits) / 8388608) * scale);
  // Patterns: float16 below 128 with its denormals, bfloat16 from 2^-7 to 2^8.
  const magnitude = () => (dtype === 'float16' ? bits() % 0x5800 : 0x3c00 + (bits() % 0x0800));
  return Uint16Array.from({ length }, () => magnitude() | (bits() & 0x8000));
}

const arrayLengths = [1, 2, 7, 16, 33, 130, 300, 4100];

/** Arrays of every dtype along their middle axis, with masks, temperatures by row and every option of the losses. */
function addArrays(api, add) {
  const bits = randomBits(20261125);
  for (const dtype of ['float32', 'float64', 'float16', 'bfloat16'])
    for (const length of arrayLengths)
      for (const inner of length > 1000 ? [3] : [1, 3, 20])
        for (const scale of [1, 30]) {
          const shape = [2, length, inner];
          const count = 2 * length * inner;
          const random = () => elementsOf(dtype, count, scale, bits);
          const named = dtype === 'float16' || dtype === 'bfloat16' ? { dtype } : {};
          const mask = Uint8Array.from({ length: length * inner }, () => bits() % 4);
          const temperature = Float64Array.from({ length: 2 * inner }, () => 1.25 + uniform(bits));
          const x = random();
          for (const options of [
            { ...named, shape, axis: 1 },
            { ...named, shape, axis: 1, mask, temperature },
          ]) {
            const p = api.softmax(x, options);
            const logP = api.logSoftmax(x, options);
            const g = random();
            add(`arrays, ${dtype}`, p, logP, api.logSumExp(x, options));
            add(
              `arrays, ${dtype}`,
              api.softmaxBackward(g, p, options),
              api.logSoftmaxBackward(g, logP, options),
            );
            const none = { ...options, reduction: 'none', grad: true };
            const target = Int32Array.from({ length: 2 * inner }, () =>
              bits() % 8 ? bits() % length : -100,
            );
            const weight = Float32Array.from({ length }, () => 1 + uniform(bits));
            const results = [
              api.crossEntropy(x, target, none),
              api.crossEntropy(x, target, { ...none, weight, labelSmoothing: 0.125 }),
              api.distillationLoss(x, g, { ...options, temperature: 2, reduction: 'none', grad: true }),
            ];
            if (Object.keys(named).length === 0) results.push(api.crossEntropy(x, p, { ...none, weight }));
            for (const { loss, grad } of results) add(`losses, ${dtype}`, loss, grad);
          }
        }
}

/** Options of sample: each filter alone, then several. */
export const samplings = [
  {},
  { temperature: 0.7 },
  { topK: 5 },
  { topP: 0.9 },
  { minP: 0.05 },
  { typicalP: 0.8 },
  { topNSigma: 1.5 },
  { temperature: 0 },
  { temperature: 0.7, topK: 50, topP: 0.9 },
  { temperature: 1.3, topK: 40, topP: 0.95, minP: 0.02, minKeep: 3 },
  { temperature: 0.6, topP: 0.8, typicalP: 0.9, order: 'temperature-last', keepTies: true },
];

/** A row like a language model's: most logits alike, a few far above. */
export function tokenRow(length, bits) {
  const row = Float32Array.from({ length }, () => (uniform(bits) + uniform(bits) + uniform(bits)) * 4);
  for (let i = bits() % 8; i > 0; i--) row[bits() % length] += 6 + 3 * uniform(bits);
  // Ties.
  if (bits() % 4 === 0) for (let i = 0; i < length; i++) row[i] = Math.round(row[i]);
  return row;
}

/** From logits to labels and tokens. */
function addTokens(api, add) {
  const bits = randomBits(20261129);
  for (const length of [1, 2, 7, 33, 130, 1000, 5000]) {
    const rows = length > 2000 ? 2 : 5;
    for (const sampling of samplings) {
      const batch = Array.from({ length: rows }, () => tokenRow(length, bits));
      const logits = new Float32Array(rows * length);
      for (const [i, row] of batch.entries()) logits.set(row, i * length);
      const shape = [rows, length];
      const seed = Int32Array.from({ length: rows }, () => bits());
      const { tokens, kept, logProbs, rawLogProbs } = api.sample(logits, {
        ...sampling,
        shape,
        seed,
        count: 3,
      });
      add('sample', tokens, kept, logProbs, rawLogProbs);
      const k = Math.min(length, 1 + (bits() % 60));
      const temperature = sampling.temperature || 1;
      const top = api.topK(logits, k, { shape, temperature, values: 'probabilities' });
      add('topK', top.values, top.indices, api.argMax(logits, { shape }));
      const given = api.tokenLogProbs(logits, tokens, { shape, temperature, top: k });
      add('tokenLogProbs', given.logProbs, given.ranks, given.logSumExp, given.topLogProbs, given.topTokens);
      if (length <= 1000) add('gumbelSoftmax', api.gumbelSoftmax(batch[0], { temperature, seed: seed[0] }));
    }
  }
}

/** SHA-256 of the little-endian bytes of what each function returns. */
export function corpusHashes(api, withLongest = true) {
  const hashes = {};
  const add = (name, ...arrays) => {
    hashes[name] ??= createHash('sha256');
    for (const { buffer, byteOffset, byteLength } of arrays)
      hashes[name].update(new Uint8Array(buffer, byteOffset, byteLength));
  };
  addArrays(api, add);
  addTokens(api, add);

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
