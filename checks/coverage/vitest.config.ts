// The suite as vitest.config.ts has it, for a copy of the project that counts: each test file's counts are written when it
// is through.
import base from '../../vitest.config.js';

const setupFiles = [new URL('./write-counts.ts', import.meta.url).pathname];
const projects = base.test?.projects as { test: object }[];

export default {
  ...base,
  test: {
    ...base.test,
    projects: projects.map((one) => ({ ...one, test: { ...one.test, setupFiles } })),
  },
};
