// What it costs to begin a job: of the thread of the event loop, and until the promise is fulfilled.

import { performance } from 'node:perf_hooks';
import { softmax, softmaxAsync } from 'softmax-native';

/** Medians, in microseconds. */
export interface Start {
  readonly shape: string;
  readonly sync: number;
  /** Until the promise is returned. */
  readonly returned: number;
  /** Until it is fulfilled. */
  readonly fulfilled: number;
}

function median(times: number[]): number {
  return 1e3 * (Float64Array.from(times).sort()[times.length >> 1] as number);
}

/** `isTransfer`: each call gives up what the call before came to, and nothing is copied. */
export async function start(
  rows: number,
  columns: number,
  rounds: number,
  isTransfer: boolean,
): Promise<Start> {
  const logits = Float32Array.from({ length: rows * columns }, (_, i) => 8 * Math.sin(i));
  const options = { shape: [rows, columns] };
  const asyncOptions = { ...options, transfer: isTransfer };
  let given: Float32Array = isTransfer ? logits.slice() : logits;
  const sync: number[] = [];
  const returned: number[] = [];
  const fulfilled: number[] = [];
  for (let round = -rounds / 4; round < rounds; round++) {
    const t0 = performance.now();
    softmax(logits, options);
    const t1 = performance.now();
    const promise = softmaxAsync(given, asyncOptions);
    const t2 = performance.now();
    const p = await promise;
    const t3 = performance.now();
    if (isTransfer) given = p;
    if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (round < 0) continue; // not compiled yet
    sync.push(t1 - t0);
    returned.push(t2 - t1);
    fulfilled.push(t3 - t1);
  }
  return {
    shape: `${rows}×${columns}${isTransfer ? ', transferred' : ''}`,
    sync: median(sync),
    returned: median(returned),
    fulfilled: median(fulfilled),
  };
}
