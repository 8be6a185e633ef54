// Modules of Node that are required, not imported, most of them when they are first used: each takes 2 to 5 ms of a start.

import { requireFrom } from './backends/native/require.js';

const requireModule = requireFrom('/');

/** An import would read all that it has, and so open the standard streams. */
export const process = requireModule('node:process') as NodeJS.Process;

export const crypto = () => requireModule('node:crypto') as typeof import('node:crypto');
export const workerThreads = () =>
  requireModule('node:worker_threads') as typeof import('node:worker_threads');
