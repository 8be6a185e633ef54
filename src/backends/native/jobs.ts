// Jobs of the addon, on threads of its own.

import { setImmediate } from '../../host.js';
import type { Jobs, Step } from '../jobs.js';
import type { NativeFunctions, NativeKernels } from './kernels.js';

interface OpenJob {
  /** Keeps the arrays alive that the threads work on. */
  readonly step: Step;
  readonly done: (error?: unknown) => void;
}

export function nativeJobs(functions: NativeFunctions, kernels: NativeKernels): Jobs {
  const open = new Map<number, OpenJob>();
  let lastId = 0;

  const ended: number[] = [];
  /** Of jobs that were cancelled, too: `done` means nothing then. */
  const settle = (): void => {
    const id = ended.shift() as number;
    const job = open.get(id);
    open.delete(id);
    if (ended.length > 0) setImmediate(settle);
    job?.done();
  };
  // One a turn of the event loop: then comes what its caller does with the result, and what it begins next, which may
  // have ended before the turn has. Node takes up to a thousand calls of the addon in one.
  const onDone = (id: number): void => {
    ended.push(id);
    if (ended.length === 1) setImmediate(settle);
  };

  return {
    // 15 µs with AVX-512: computing takes the event loop's thread as long as to copy, post and be told. So it is with
    // narrower vectors, which are slower (docs/concurrency.md).
    inlineCost: 4096 * functions.lanes,
    start(step, _cost, done) {
      if (lastId === 0) functions.connect(onDone);
      lastId++;
      const id = lastId;
      open.set(id, { step, done });
      let isPosted = false;
      try {
        isPosted = kernels.asJob(id, () => step.run(step.rows));
      } finally {
        if (!isPosted) open.delete(id);
      }
      if (!isPosted) done();
      return { cancel: () => functions.cancel(id) };
    },
  };
}
