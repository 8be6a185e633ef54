// The functions of an entry point: each operation of the table, on one backend, with its asynchronous twin.

import { runAsync } from '../async/run-async.js';
import type { ChosenBackend } from '../backends/chosen.js';
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
import { type StreamFunctions, streamClass } from './shards/stream.js';
import { shardOperations } from './shards/table.js';
import { operations } from './table.js';

/** An operation away from the event loop: its errors are rejections. */
function asyncTwin(engine: Engine, operation: Operation, { plan }: BoundOperation): PublicFunction {
  const { name } = operation;
  const index = optionsIndex(operation);
  const jobs = operation.usesKernels === false ? jsJobs : engine.jobs;
  return (...args) => runAsync(name, jobs, args[index], () => plan(args));
}

/** A function with the name and the number of parameters that it is documented with. */
const describe = (call: PublicFunction, name: string, length: number): PublicFunction =>
  Object.defineProperties(call, { name: { value: name }, length: { value: length } });

/** Every function on a backend, and its twin. */
export function functionsOn(engine: Engine): Readonly<Record<string, PublicFunction>> {
  const functions: Record<string, PublicFunction> = {};
  for (const operation of operations) {
    const { name } = operation;
    const bound = operation.bind(engine.kernels);
    const length = optionsIndex(operation) + 1;
    functions[name] = describe(bound.call, name, length);
    functions[`${name}Async`] = describe(asyncTwin(engine, operation, bound), `${name}Async`, length);
  }
  for (const { name, length, options, bind } of shardOperations) {
    const { call, plan } = bind(engine.kernels);
    functions[name] = describe(call, name, length);
    if (options === undefined || plan === undefined) continue;
    const twin: PublicFunction = (...args) => runAsync(name, engine.jobs, args[options], () => plan(args));
    functions[`${name}Async`] = describe(twin, `${name}Async`, length);
  }
  return functions;
}

/** Those, and the class of streams. */
export function computingOn(engine: Engine): Readonly<Record<string, unknown>> {
  const functions = functionsOn(engine);
  return { ...functions, SoftmaxStream: streamClass(engine.kernels, functions as StreamFunctions) };
}

/** What an entry point exports, by name. */
export const createApi = ({
  backend,
  engine,
  threads,
}: ChosenBackend): Readonly<Record<string, unknown>> => ({
  ...computingOn(engine),
  backend,
  getThreads: () => threads.get(),
  setThreads: describe(
    named('setThreads', (count) => threads.set(checkedThreads(count))),
    'setThreads',
    1,
  ),
});
