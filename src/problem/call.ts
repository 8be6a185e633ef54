// A call that has been read and checked: kernels over rows, and what they read and write. A synchronous call gives them
// the caller's memory, an asynchronous one memory of its own (async/async-buffers.ts).

import type { Jobs, Step } from '../backends/jobs.js';
import type { Elements } from '../backends/kernels.js';
import { type Destination, elementsOf } from './outputs.js';
import type { RowProblem } from './rows.js';
import type { Input, Operand } from './tensors.js';

/** Steps to take one after the other, and what is returned after the last. */
export interface Work {
  readonly steps: readonly Step[];
  readonly result: () => unknown;
}

/** Where the floats of a call are while it is computed. */
export interface Memory {
  input(operand: Operand): Elements;
  output(destination: Destination): Elements;
}

/** Where they are for the caller: what is computed at once. */
export const callersMemory: Memory = { input: (operand) => operand, output: elementsOf };

/** A call that is ready to compute. Classes, weights and temperatures are private copies already. */
export interface Call {
  /** What it reads. */
  readonly inputs: readonly Input[];
  /** A result may be written over the first so many inputs. */
  readonly replaceable: number;
  readonly outputs: readonly Destination[];
  readonly rows: RowProblem;
  /** How long it takes, in elements of a softmax. */
  readonly cost: number;
  /** Where jobs go that are not for the backend's. */
  readonly jobs?: Jobs;
  work(memory: Memory, rows: RowProblem): Work;
}

/** The cost of a call that takes `factor` times as long for an element as softmax. */
export const costOf = ({ elements, rowCount }: RowProblem, factor: number): number =>
  factor * elements + 16 * rowCount;

/** Computes at once. */
export function compute({ steps, result }: Work): unknown {
  for (const step of steps) step.run(step.rows);
  return result();
}

/** Computes a call at once, in the caller's memory. */
export const computeCall = (call: Call): unknown => compute(call.work(callersMemory, call.rows));
