// Where this runs.

import { availableParallelism, cpus } from 'node:os';

export const machine = {
  cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
  arch: process.arch,
  threads: availableParallelism(),
  node: process.versions.node,
  date: new Date().toISOString(),
};
