// What an operation on sharded rows is: its arguments are more various than those of the operations of the table.

import type { Kernels } from '../../backends/kernels.js';
import type { Call } from '../../problem/call.js';
import type { PublicFunction } from '../operation.js';

export interface ShardOperation {
  /** Of the function; its asynchronous twin has "Async" behind it. */
  readonly name: string;
  /** Of its parameters. */
  readonly length: number;
  /** Which of them has the options of the asynchronous twin; undefined where there is too little work for one. */
  readonly options: number | undefined;
  bind(kernels: Kernels): BoundShardOperation;
}

export interface BoundShardOperation {
  readonly call: PublicFunction;
  /** Of the twin, if it has one. */
  readonly plan?: (args: readonly unknown[]) => Call;
}
