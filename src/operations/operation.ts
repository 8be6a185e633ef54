// What an operation is. Entry points, asynchronous twins, sweeps of tests and checks derive from the table of them.

import type { Kernels } from '../backends/kernels.js';
import { inFunction } from '../errors.js';
import type { Call } from '../problem/call.js';
import type { OptionName } from '../problem/option-names.js';

/** What a caller sees of an operation. */
export interface Signature {
  /** Of the function; its asynchronous twin has "Async" behind it. */
  readonly name: string;
  /** The arguments that are floats of the rows' shape, in their order: arrays or tensors. */
  readonly inputs: readonly string[];
  /** Class indices, and for most probabilities: the argument behind the inputs, or an option. */
  readonly target: 'none' | 'classes' | 'classes or probabilities' | 'option';
  /** Outputs are those among 'out', 'grad' and 'logProbs'. */
  readonly options: readonly OptionName[];
  /**
   * How many elements the first output has: those of the rows, one per row, or length² per row. 'tokens': outputs are
   * no floats, and come in an object.
   */
  readonly result: 'rows' | 'row' | 'square' | 'tokens';
  /** What results hold, if not floats. */
  readonly holds?: 'int32';
  /** Of several arrays in an object, of which `out` has the same fields: what each holds. */
  readonly results?: Readonly<Record<string, 'floats' | 'integers'>>;
  /** The argument behind the inputs that is a number of places. */
  readonly count?: string;
  /** Results depend on a seed, which is a fresh one by default. */
  readonly isRandom?: true;
  /** Whether `out` or `grad` may be an input. */
  readonly mayReplace: boolean;
  /** Temperature 0 has a limit; else it is refused. */
  readonly hasLimits: boolean;
  /** false: it reads so little that it is computed in JavaScript on every backend. */
  readonly usesKernels?: false;
}

/** Any function of the package: it takes whatever a caller gives it. */
export type PublicFunction = (...args: unknown[]) => unknown;

/** An operation on a backend. */
export interface BoundOperation {
  /** The public function. */
  readonly call: PublicFunction;
  /** Reads and checks the arguments of a call. Its errors do not say yet in which function they happened. */
  readonly plan: (args: readonly unknown[]) => Call;
}

export interface Operation extends Signature {
  bind(kernels: Kernels): BoundOperation;
}

/** Where the options are among the arguments. */
export const optionsIndex = ({ inputs, target, count }: Signature): number =>
  inputs.length + (target === 'none' || target === 'option' ? 0 : 1) + (count === undefined ? 0 : 1);

/** A public function: it says in errors that it is the one they leave. */
export function named(name: string, call: PublicFunction): PublicFunction {
  return (a, b, c) => {
    try {
      return call(a, b, c);
    } catch (error) {
      throw inFunction(name, error);
    }
  };
}
