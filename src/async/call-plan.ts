// What a call comes to when all of it has been read and checked: kernels over rows, and what they are given to read and
// to write. A synchronous call gives them the caller's memory, an asynchronous one memory of its own (memory.ts).

import type { Elements, Kernels, ScaledRows } from '../backends/kernels.js';
import { type Destination, elementsOf, resultOf } from '../problem/outputs.js';
import type { RowProblem } from '../problem/rows.js';
import type { Operand } from '../problem/tensors.js';

/** One kernel over rows. */
export interface Step {
  readonly rows: ScaledRows;
  /** Calls it, once, and returns what it returns. `rows`: those of the step, or some of them. */
  readonly run: (kernels: Kernels, rows: ScaledRows) => unknown;
}

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

/** Floats that a call reads. */
export interface Input {
  readonly argument: string;
  readonly operand: Operand;
}

/** A call that has been read and checked. Classes, weights and temperatures are private copies already. */
export interface Call {
  readonly fn: string;
  readonly inputs: readonly Input[];
  /** A result may be written over the first so many inputs. */
  readonly replaceable: number;
  readonly outputs: readonly Destination[];
  readonly rows: RowProblem;
  /** How long it takes, in elements of a softmax. */
  readonly cost: number;
  work(memory: Memory, rows: RowProblem): Work;
}

/** The cost of a call that takes `factor` times as long for an element as softmax. */
export const costOf = ({ elements, rowCount }: RowProblem, factor: number): number =>
  factor * elements + 16 * rowCount;

/** Computes a call at once. */
export function compute(kernels: Kernels, { steps, result }: Work): unknown {
  for (const step of steps) step.run(kernels, step.rows);
  return result();
}

/** A call of one kernel with one result. `run`: with the elements of the inputs, in their order. */
export function oneStepCall<Inputs extends readonly Input[]>(
  parts: Omit<Call, 'outputs' | 'work'> & { readonly inputs: Inputs },
  output: Destination,
  run: (
    kernels: Kernels,
    inputs: { [Index in keyof Inputs]: Elements },
    out: Elements,
    rows: ScaledRows,
  ) => unknown,
): Call {
  return {
    ...parts,
    outputs: [output],
    work(memory, rows) {
      const inputs = parts.inputs.map(({ operand }) => memory.input(operand)) as {
        [Index in keyof Inputs]: Elements;
      };
      const out = memory.output(output);
      const step: Step = { rows, run: (kernels, some) => run(kernels, inputs, out, some) };
      return { steps: output.elements > 0 ? [step] : [], result: () => resultOf(output, out) };
    },
  };
}
