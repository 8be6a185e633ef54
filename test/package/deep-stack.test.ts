// Calls at the end of a stack: V8 lets JavaScript come within 192 KB of the end of a worker's, and what native code takes
// there ends the process if it is more. A call either works or throws a RangeError of the engine's.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Recurses to the end of the stack of a worker, and calls every function at each of the last 400 depths. */
const program = `
import { Worker } from 'node:worker_threads';
const code = ${JSON.stringify(`
import { parentPort, workerData } from 'node:worker_threads';
const {
  softmax, logSoftmax, logSumExp, entropy, softmaxBackward, logSoftmaxBackward, crossEntropy, distillationLoss,
  argMax, topK, tokenLogProbs, sample,
} = await import(workerData);
const x = new Float32Array(64_000).fill(1), q = new Float32Array(64_000).fill(0.001), grad = new Float32Array(64_000);
const half = new Uint16Array(64_000).fill(0x3c00), target = new Int32Array(64), columns = { shape: [1000, 64], axis: 0 };
const rows = { shape: [64, 1000] }, mask = new Uint8Array(64_000).fill(1);
const calls = [rows, columns, { ...rows, mask }, { ...columns, mask }].flatMap((options) => [
  () => softmax(x, { ...options, out: grad }),
  () => softmax(half, { ...options, dtype: 'bfloat16' }),
  () => logSoftmax(x, { ...options, out: grad }),
  () => logSumExp(x, options),
  () => entropy(x, options),
  () => softmaxBackward(x, q, { ...options, out: grad }),
  () => logSoftmaxBackward(x, q, { ...options, out: grad }),
  () => crossEntropy(x, target, { ...options, grad }),
  () => crossEntropy(x, target, { ...options, grad, labelSmoothing: 0.1 }),
  () => crossEntropy(x, q, { ...options, grad }),
  () => distillationLoss(x, q, { ...options, grad }),
  () => distillationLoss(x, q, { ...options, grad, target }),
  () => argMax(x, options),
  () => topK(x, 40, options),
]);
for (const logits of [x, new Float64Array(x)]) {
  calls.push(
    () => tokenLogProbs(logits, target, { ...rows, top: 20 }),
    () => entropy(logits, rows),
    () => topK(logits, 40, rows),
  );
}
calls.push(
  () => sample(x, { ...rows, seed: 1 }),
  () => sample(x, { ...rows, seed: 1, topP: 0.9, topK: 50, temperature: 0.7 }),
);
const counts = { done: 0, refused: 0 };
function callAll() {
  for (const call of calls) {
    try {
      call();
      counts.done++;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      counts.refused++;
    }
  }
}
callAll();
let left = 400;
function deeper() {
  try {
    deeper();
  } catch {}
  if (left-- > 0) callAll();
}
deeper();
parentPort.postMessage(counts);
`)};
const source = new URL('data:text/javascript,' + encodeURIComponent(code));
const worker = new Worker(source, { workerData: import.meta.resolve('softmax-native') });
worker.on('message', ({ done, refused }) => console.log(JSON.stringify({ areDone: done > 1000, areRefused: refused > 0 })));
`;

test('at the end of the stack of a worker', () => {
  const args = ['--input-type=module', '--eval', program];
  const env = { ...process.env, SOFTMAX_THREADS: '1' };
  const options = { cwd: root, env, encoding: 'utf8', timeout: 100_000 } as const;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, options);
  expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null });
  expect(JSON.parse(stdout)).toEqual({ areDone: true, areRefused: true });
});
