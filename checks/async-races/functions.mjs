// Every asynchronous function as a table: its arrays, and cases of it with the result that the synchronous twin gives.

import {
  argumentsOf,
  isLoss,
  outputKeys,
  signatureOf,
  signatures,
  takes,
  takesClasses,
} from '../../build/signatures.mjs';

export const functionNames = signatures.map(({ name }) => `${name}Async`);

/**
 * Elements for a call that is more than the library computes at once (inlineCost in src/backends/native/jobs.ts): so many, at
 * least, of a function that costs as much as softmax. races.mjs fails if too few calls are posted.
 */
const leastCost = 66000;
const costs = { nllLoss: 0.5, distillationLoss: 8 };

/** Normal-like values without a logarithm: the first of them for all cases, taken from random places. */
function pool(random) {
  const values = new Float32Array(1 << 18);
  for (let i = 0; i < values.length; i++)
    values[i] = 4 * (random.unit() + random.unit() + random.unit() + random.unit() - 2);
  return values;
}

/** Shape, axis and dtype: rows, columns, one long row. `isSmall`: for packages that post small calls too. */
function layoutOf({ name, result }, random, isSmall) {
  const cost = isSmall ? 1 + random.integer(4000) : leastCost * (1 + random.unit() / 4);
  if (result === 'square') {
    const length = isSmall ? 1 + random.integer(20) : 30 + random.integer(40);
    return { shape: [Math.ceil(cost / length ** 2), length], axis: 1, length };
  }
  const elements = Math.ceil(cost / (costs[name] ?? 1));
  const kind = random.integer(4);
  if (kind === 0) return { shape: [1, elements], axis: 1, length: elements };
  const length = Math.min(elements, kind === 1 ? 2 + random.integer(60) : 100 + random.integer(3000));
  const rows = Math.ceil(elements / length);
  if (kind === 2) return { shape: [length, rows], axis: 0, length };
  return { shape: [rows, length], axis: 1, length };
}

const storage = {
  float32: (values) => values.slice(),
  float64: (values) => Float64Array.from(values),
  // Bits of small numbers of both signs, whatever they are.
  float16: (values) => Uint16Array.from(values, (v) => (v < 0 ? 0x8000 : 0) | (0x3000 + Math.abs(v) * 1024)),
  bfloat16: (values) => Uint16Array.from(values, (v) => (v < 0 ? 0x8000 : 0) | (0x3e00 + Math.abs(v) * 32)),
};

/** A call of a function: the arrays by role, options, and the synchronous twin's result. */
export class Case {
  constructor(api, name, random, values, isSmall = false) {
    const signature = signatureOf(name);
    const { shape, axis, length } = layoutOf(signature, random, isSmall);
    const elements = shape[0] * shape[1];
    const dtype = random.pick(['float32', 'float32', 'float32', 'float32', 'float64', 'float16', 'bfloat16']);
    this.name = name;
    this.signature = signature;
    this.function = api[name];
    this.options = { shape, axis, ...(/float16/.test(dtype) && { dtype }) };
    this.arrays = {};
    this.inputs = signature.inputs;
    for (const role of signature.inputs) {
      const begin = random.integer(values.length - elements + 1);
      this.arrays[role] = storage[dtype](values.subarray(begin, begin + elements));
    }
    const rowCount = elements / length;
    if (takesClasses(signature))
      this.arrays.classes = Int32Array.from({ length: rowCount }, () => random.integer(length));
    if (isLoss(signature)) this.options.grad = true;
    if (isLoss(signature) && random.chance(0.3)) this.options.reduction = random.pick(['sum', 'none']);
    if (takes(signature, 'logProbs') && random.chance(0.3)) this.options.logProbs = true;
    if (takesClasses(signature) && random.chance(0.2))
      this.arrays.weight = new Float64Array(length).fill(0.5);
    this.#addRowOptions(random, elements, rowCount);
    this.synchronous = api[signature.name];
    this.expected = this.twin(this.arrays);
    this.outputs = outputKeys(signature).filter((key) => this.expectedOf(key) !== undefined);
  }

  #addRowOptions(random, elements, rowCount) {
    if (!takes(this.signature, 'temperature')) return;
    if (random.chance(0.2))
      this.arrays.temperature = Float64Array.from({ length: rowCount }, () => 0.5 + random.unit());
    if (random.chance(0.2))
      this.arrays.mask = Uint8Array.from({ length: elements }, () => Number(random.chance(0.8)));
  }

  /** With arrays by role in the place of the case's own. */
  call(arrays, options, fn = this.function) {
    const { classes, weight, temperature, mask } = arrays;
    const all = {
      ...this.options,
      ...(weight && { weight }),
      ...(temperature && { temperature }),
      ...(mask && { mask }),
      ...options,
    };
    const positional = this.inputs.map((role) => arrays[role]);
    return fn(...argumentsOf(this.signature, positional, classes, all));
  }

  /** The result of the synchronous twin. */
  twin(arrays) {
    return this.call(arrays, {}, this.synchronous);
  }

  /** The array that is expected in an output. */
  expectedOf(key) {
    return key === 'out' ? this.expected : this.expected[key];
  }
}

/** Cases to race with: some of every function. */
export function makeCases(api, names, count, random, isSmall) {
  const values = pool(random);
  return new Map(
    names.map((name) => [
      name,
      Array.from({ length: count }, () => new Case(api, name, random, values, isSmall)),
    ]),
  );
}

export const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

/** Whether two results are the same: kinds of arrays, lengths, bits. */
export function isSame(a, b) {
  if (ArrayBuffer.isView(a))
    return ArrayBuffer.isView(b) && a.constructor === b.constructor && bytesOf(a).equals(bytesOf(b));
  if (typeof a !== 'object' || a === null) return Object.is(a, b);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isSame(a[key], b[key]));
}
