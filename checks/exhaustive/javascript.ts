// A sweep in JavaScript, by several threads.

import { Worker } from 'node:worker_threads';
import { rowsOf, type Sweep } from './rows.js';
import type { WorkerData } from './worker.js';

/** The hash of each row's results. */
export async function hashesInJavaScript(
  sweep: Sweep,
  threads: number,
  progress: (share: number) => void,
): Promise<Uint32Array> {
  const [first, end] = rowsOf[sweep.name];
  const hashes = new Uint32Array(new SharedArrayBuffer((end - first) * 4));
  const next = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WorkerData = { sweep, hashes, next };
  const timer = setInterval(() => progress(Math.min(1, (next[0] as number) / (end - first))), 300);
  try {
    await Promise.all(
      Array.from({ length: threads }, () => {
        const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData });
        return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
      }),
    );
  } finally {
    clearInterval(timer);
  }
  return hashes;
}
