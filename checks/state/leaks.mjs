// Millions of synchronous calls leave no memory behind: every function and type, out, masks, losses, refused calls.
//   node checks/state/leaks.mjs [--count CALLS] [--seed N] [--package DIRECTORY] [--lost BYTES_OF_EACH_CALL]
// --lost: what an addon loses beside each call, for the check to find.

import { allSignatures, argumentsOf, outKey, outLength, signatures, takes } from '../../build/signatures.mjs';
import { collect, load, readCommand } from '../async-races/command.mjs';
import { lose } from './addon.mjs';

const { count, lost, root } = readCommand({ count: 10_000_000, lost: 0 });
/** KiB in six tenths of the calls. */
const most = { resident: 1024, heap: 512, buffers: 16 };
const api = await load(root);

const types = [
  [Float32Array, undefined],
  [Float64Array, undefined],
  [Uint16Array, 'float16'],
  [Uint16Array, 'bfloat16'],
];

function callsOf([Type, dtype]) {
  const x = Type.from({ length: 24 }, (_, i) => (Type === Uint16Array ? 0x3000 + i : i / 8));
  const y = x.slice().reverse();
  const grad = new Type(24);
  const classes = Int32Array.of(1, 2);
  const mask = Uint8Array.from({ length: 24 }, (_, i) => i % 3);
  const shape = { shape: [2, 12], ...(dtype && { dtype }) };
  // As bare arrays: a target of probabilities would be one of classes.
  const tensor = { data: y, dims: [2, 12], type: dtype ?? `float${8 * x.BYTES_PER_ELEMENT}` };
  return [
    ...allSignatures
      .filter(({ results }) => results)
      .map((signature) => () => {
        const top = takes(signature, 'top') ? { top: 3 } : {};
        api[signature.name](...argumentsOf(signature, [x], classes, { ...shape, ...top }, 5));
      }),
    ...signatures.flatMap((signature) => {
      const key = outKey(signature);
      const isSquare = signature.result === 'square';
      const [rows, length] = isSquare ? [1, 4] : [2, 12];
      const inputs = [x, y].slice(0, signature.inputs.length).map((data) => data.subarray(0, rows * length));
      const all = { shape: [rows, length], ...(dtype && { dtype }) };
      const out = new (signature.holds ? Int32Array : Type)(outLength(signature, rows, length));
      const call = (options) => api[signature.name](...argumentsOf(signature, inputs, classes, options));
      const calls = [() => call({ ...all, [key]: out }), () => call(all)];
      if (takes(signature, 'mask')) {
        const across = { ...all, shape: [12, 2], axis: 0, mask, temperature: [0.5, 2] };
        calls.push(() => call(across));
      }
      if (takes(signature, 'grad')) calls.push(() => call({ ...all, grad: true, reduction: 'none' }));
      if (takes(signature, 'target')) calls.push(() => call({ ...all, grad: out, target: classes }));
      return calls;
    }),
    () => api.crossEntropy(x, classes, { ...shape, labelSmoothing: 0.1, grad: true, reduction: 'none' }),
    () => api.crossEntropy(x, tensor, { ...shape, grad, mask }),
    () => refused(() => api.softmax(x, { shape: [5, 5], ...(dtype && { dtype }) })),
    () => refused(() => api.crossEntropy(x, [12, 12], shape)),
  ];
}
function refused(call) {
  try {
    call();
  } catch {
    return;
  }
  throw new Error('a wrong call was accepted');
}

const calls = types.flatMap(callsOf);
// Large enough for memory that is not zeroed (src/unfilled-memory.ts).
const large = new Float32Array(8192);
const labels = Int32Array.of(1, 4095);
calls.push(
  () => api.softmax(large),
  () => api.crossEntropy(large, labels, { shape: [2, 4096], grad: true }),
  () => api.softmax(Float32Array.of(1, 2, 3)),
  () => api.setThreads(api.getThreads()),
  () => refused(() => api.softmax('text')),
  () => refused(() => api.setThreads(0)),
);
let next = 0;
function callAll(times) {
  for (let i = 0; i < times; i++) {
    calls[next]();
    next = next + 1 < calls.length ? next + 1 : 0;
    if (lost > 0) lose(lost);
  }
}

const pause = () => new Promise((done) => setTimeout(done, 10));

/** KiB in use: the least of some looks, after collections of garbage. */
async function look() {
  const least = { resident: Infinity, heap: Infinity, buffers: Infinity };
  for (let i = 0; i < 4; i++) {
    collect();
    await pause();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    for (const [kind, bytes] of Object.entries({ resident: rss, heap: heapUsed, buffers: arrayBuffers }))
      least[kind] = Math.min(least[kind], bytes / 1024);
  }
  return least;
}

const steps = 10;
const middle = (three) => three.sort((a, b) => a - b)[1];
/** From the second, third and fourth look on, before which engine and system keep what they will need again. */
const growthOf = (sizes) => middle(sizes.slice(-3)) - middle(sizes.slice(2, 5));

// Refusals are made without a trace of the stack, which is what they cost most.
Error.stackTraceLimit = 0;
callAll(Math.max(count / 10, 50_000));
const looks = [await look()];
let milliseconds = 0;
for (let step = 0; step < steps; step++) {
  const start = performance.now();
  callAll(count / steps);
  milliseconds += performance.now() - start;
  looks.push(await look());
}
const where = `${api.backend.isa ?? 'JavaScript'}${lost > 0 ? `, ${lost} bytes lost beside each` : ''}`;
console.log(
  `leaks: ${count} calls of ${calls.length} kinds (${where}), ${(milliseconds / 1000).toFixed(1)} s`,
);
for (const [kind, bound] of Object.entries(most)) {
  const sizes = looks.map((one) => one[kind]);
  const growth = growthOf(sizes);
  console.log(`leaks: ${kind}: growth ${growth.toFixed(1)} KiB (${sizes.map(Math.round).join(' ')})`);
  if (growth > bound) {
    console.error(`leaks: ${kind} memory grew by ${growth.toFixed(1)} KiB, more than ${bound}`);
    process.exitCode = 1;
  }
}
