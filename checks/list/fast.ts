// Checks that take seconds: of the code, its documentation, and what GitHub runs.

import { native } from '../../tools/front-door/builds.js';
import { type Group, program, script } from '../../tools/front-door/task.js';

export const fast: Group = {
  name: 'fast',
  summary: 'before every commit',
  tasks: [
    {
      name: 'lint',
      summary: 'Biome, TypeScript, clang-format (npm run format repairs)',
      minutes: 0.5,
      debian: ['clang-format'],
      commands: () => [
        ['biome', 'check', '.'],
        ['tsc', '--noEmit'],
        ['node', 'checks/clang-format.mjs'],
      ],
    },
    {
      name: 'docs',
      summary: 'the API reference is made without a warning',
      minutes: 0.3,
      commands: program('typedoc', '--emit', 'none'),
    },
    {
      name: 'workflows',
      summary: 'GitHub workflows: pinned, few permissions, names that exist',
      minutes: 0.05,
      options: [['DIRECTORY', 'in place of .github']],
      commands: script('checks/workflows/main.ts'),
    },
    {
      name: 'symbols',
      summary: "an instruction set's object exports its table, nothing else",
      minutes: 0.05,
      debian: ['llvm'],
      builds: (args) => (args.length > 0 ? [] : [native]),
      options: [['DIRECTORY…', 'with objects; by default build and, if it is there, build-prebuild']],
      commands: script('checks/symbols.mjs'),
    },
  ],
};
