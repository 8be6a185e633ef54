// A thread of javascript.ts: takes rows until there are no more.

import { workerData } from 'node:worker_threads';
import { rowsOf, type Sweep } from './rows.js';
import { rowHash } from './sweep.js';

export interface WorkerData {
  readonly sweep: Sweep;
  /** One a row. */
  readonly hashes: Uint32Array;
  /** How many rows were taken. */
  readonly next: Int32Array;
}

const { sweep, hashes, next } = workerData as WorkerData;
const [first] = rowsOf[sweep.name];
for (let i = Atomics.add(next, 0, 1); i < hashes.length; i = Atomics.add(next, 0, 1))
  hashes[i] = rowHash(first + i, sweep);
