// What is used of the runtime, timers as they are when the library loads: a program may replace them later. It is taken from
// Node's own modules, since globals may be missing, as in jest's jsdom environment, or be a test's clock. In what is built
// for browsers (dist/web) platform-web.ts takes the place of this file.

import { Buffer } from 'node:buffer';
import perfHooks from 'node:perf_hooks';
import timers from 'node:timers';
import { crypto, workerThreads } from './node-modules.js';

export const { allocUnsafeSlow } = Buffer;
export const { setImmediate, setTimeout } = timers;
export const { performance } = perfHooks;
export { workerThreads };
export const getRandomValues: ReturnType<typeof crypto>['getRandomValues'] = (array) =>
  crypto().getRandomValues(array);
