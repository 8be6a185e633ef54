// The suite as vitest.config.ts has it, for a copy of the project that counts: each test file's counts are written when it
// is through. Two files at a time, also where there are two processors: vitest would leave one of them alone.
import base from '../../vitest.config.js';

const setupFiles = [new URL('./write-counts.ts', import.meta.url).pathname];
const projects = base.test?.projects as { test: object }[];

export default {
  ...base,
  test: {
    ...base.test,
    maxWorkers: 2,
    projects: projects.map((one) => ({ ...one, test: { ...one.test, setupFiles } })),
  },
};
