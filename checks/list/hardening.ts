// What tries to break the library for longer than a test may take (docs/hardening.md).

import { dist, kernels, native, wasm } from '../../tools/front-door/builds.js';
import { type Group, isQuick, script } from '../../tools/front-door/task.js';
import { nodes, takeNode } from './nodes.js';

const clang = ['clang-14', 'libclang-rt-14-dev'] as const;
const seed = ['--seed N', 'the same random choices again'] as const;
const only = ['--only KIND,…', 'such as "races", "workers", "memory of small jobs"'] as const;
const count = ['--count N', 'races of each function'] as const;
const workers = ['--workers N', 'workers that end'] as const;
const built = () => [native, dist];

export const hardening: Group = {
  name: 'hardening',
  summary: 'tries to break it (docs/hardening.md)',
  tasks: [
    {
      name: 'exhaustive',
      summary: 'every float32 and 16-bit float: same bits, errors as known',
      minutes: 20,
      quickMinutes: 0.5,
      builds: () => [native, dist, kernels],
      options: [
        ['--only TEXT', 'sweeps that have it in their names: steps, exp, log, 16 bits'],
        ['--threads N', '2 unless given'],
        ['--write', 'publishes the figures in docs/numerics.md'],
      ],
      commands: script('checks/exhaustive/main.ts'),
    },
    {
      name: 'guard-pages',
      summary: 'kernels on arrays beside unreadable pages, at all lengths',
      minutes: 10,
      quickMinutes: 1,
      builds: () => [native, kernels],
      options: [['"avx2, softmax of float32"', 'one kernel']],
      commands: (args) => [
        isQuick(args)
          ? ['build-cmake/guard_pages', ...args.filter((argument) => argument !== '--quick')]
          : ['build-cmake/guard_pages', '--full', ...args],
      ],
    },
    {
      name: 'fuzz-calls',
      summary: 'a million random calls: native, WebAssembly, JavaScript',
      minutes: 6,
      quickMinutes: 0.4,
      builds: () => [native, wasm, dist],
      options: [
        ['--calls N', 'all together'],
        seed,
        ['--isa NAME,…', 'instruction sets'],
        ['--node PATH', 'another Node'],
        ['--replay PLAN', 'the one call that a failure prints'],
      ],
      commands: script('checks/fuzz-calls/main.ts'),
    },
    {
      name: 'state',
      summary: 'calls leave no floating-point mode and no memory behind',
      minutes: 9,
      quickMinutes: 0.5,
      builds: () => [native, wasm, dist],
      commands: script('checks/state/main.sh'),
    },
    {
      name: 'big-sizes',
      summary: 'arrays of more than 2³¹ and 2³² elements',
      minutes: 4,
      quickMinutes: 1,
      memory: 10,
      builds: built,
      options: [
        ['--node PATH', 'on that Node alone; else on this one and the newest'],
        ['CASE…', "parts of cases' names"],
      ],
      // Node 20 has no longer arrays than 2³² elements. With --quick they have the cases that are of a Node's limits.
      commands: (args) => {
        const { node, others } = takeNode(args);
        const run = (one: string, ...words: readonly string[]) => [
          ...[one, '--import', 'tsx', 'checks/big-sizes/main.ts'],
          ...words,
        ];
        if (node !== undefined) return [run(node, ...others)];
        const newest = nodes().at(-1) as string;
        const limits = others.length === 1 && isQuick(others) ? ['refusals', 'nllLoss'] : [];
        return [run(process.execPath, ...others, ...limits), run(newest, ...others, ...limits)];
      },
    },
    {
      name: 'async-races',
      summary: 'memory taken, workers and processes ending, during calls',
      minutes: 40,
      quickMinutes: 1,
      builds: built,
      options: [count, workers, seed, only],
      commands: (args) =>
        (isQuick(args) ? [process.execPath] : nodes()).map((node) => [
          ...['timeout', '--kill-after=10', '3600'],
          ...[node, 'checks/async-races/main.mjs', ...args],
        ]),
    },
    {
      name: 'fuzz-kernels',
      summary: 'libFuzzer: same bits from all sets, results as promised',
      minutes: 60,
      quickMinutes: 4,
      debian: clang,
      builds: () => [native],
      options: [
        ['--runs N', 'executions, of all families together'],
        [
          '--only FAMILY',
          'forward, backward, cross-entropy, divergence, halves, operations, top-k, token-log-probs, sample, parts, long, together',
        ],
        seed,
        ['--collect', 'what found new paths becomes a case in native/fuzz/cases'],
      ],
      commands: script('checks/fuzz-kernels/main.sh'),
    },
    {
      name: 'asan',
      summary: 'AddressSanitizer and UBSan, of clang and gcc: all tests',
      minutes: 90,
      quickMinutes: 20,
      debian: [...clang, 'g++', 'cmake'],
      builds: () => [dist],
      options: [['--compiler clang|gcc', 'one of them'], count, workers, seed, only],
      commands: script('checks/sanitizers/asan.sh'),
    },
    {
      name: 'tsan',
      summary: 'ThreadSanitizer: all tests',
      minutes: 60,
      quickMinutes: 10,
      debian: ['g++', 'cmake'],
      builds: () => [dist],
      options: [count, workers, seed, only],
      commands: script('checks/sanitizers/tsan.sh'),
    },
    {
      name: 'coverage',
      summary: 'the suite runs each line and branch of src, 95 % of native',
      minutes: 15,
      debian: [...clang, 'llvm-14', 'cmake'],
      builds: () => [native],
      options: [
        ['--only src|native', 'one of them'],
        ['--keep', 'adds to the counts of the run before'],
      ],
      commands: script('checks/coverage/main.mjs'),
    },
    {
      name: 'mutants',
      summary: 'the suite sees each of 153 faults that are put in',
      minutes: 30,
      quickMinutes: 1,
      builds: () => [native],
      options: [
        ['--only 07,12', 'numbers of checks/mutants/patches'],
        ['--named', 'no more than the tests that patches name'],
      ],
      commands: script('checks/mutants/main.mjs'),
    },
  ],
};
