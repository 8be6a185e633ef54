// The suite as vitest.config.ts has it, for a copy of the project that counts: each test file's counts are written when it
// is through. Two files at a time at least: of two processors vitest leaves one alone, and this takes long.
import { availableParallelism } from 'node:os';
import base from '../../vitest.config.js';

const setupFiles = [new URL('./write-counts.ts', import.meta.url).pathname];
const projects = base.test?.projects as { test: object }[];

export default {
  ...base,
  test: {
    ...base.test,
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: projects.map((one) => ({ ...one, test: { ...one.test, setupFiles } })),
  },
};
