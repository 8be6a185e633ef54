// The functions of an entry point: each operation of the table, on one backend, with its asynchronous twin.

import { runAsync } from '../async/run-async.js';
import type { ChosenBackend } from '../backends/choose.js';
import type { Engine } from '../backends/jobs.js';
import { jsJobs } from '../backends/js/jobs.js';
import { checkedThreads } from '../backends/threads.js';
import {
  type BoundOperation,
  named,
  type Operation,
  optionsIndex,
  type PublicFunction,
} from './operation.js';
import { operations } from './table.js';

/** An operation away from the event loop: its errors are rejections. */
function asyncTwin(engine: Engine, operation: Operation, { plan }: BoundOperation): PublicFunction {
  const { name } = operation;
  const index = optionsIndex(operation);
  const jobs = operation.usesKernels === false ? jsJobs : engine.jobs;
  return (...args) => runAsync(name, jobs, args[index], () => plan(args));
}

/** Every function on a backend, and its twin. */
export function functionsOn(engine: Engine): Readonly<Record<string, PublicFunction>> {
  const functions: Record<string, PublicFunction> = {};
  for (const operation of operations) {
    const { name } = operation;
    const bound = operation.bind(engine.kernels);
    functions[name] = bound.call;
    functions[`${name}Async`] = asyncTwin(engine, operation, bound);
  }
  return functions;
}

/** What an entry point exports, by name. */
export const createApi = ({
  backend,
  engine,
  threads,
}: ChosenBackend): Readonly<Record<string, unknown>> => ({
  ...functionsOn(engine),
  backend,
  getThreads: () => threads.get(),
  setThreads: named('setThreads', (count) => threads.set(checkedThreads(count))),
});
