// Checks of results: of the kernels in C++, on other processors, and in numbers.

import { dist, kernels, native, wasm } from '../../tools/front-door/builds.js';
import { type Group, isQuick, script } from '../../tools/front-door/task.js';

export const results: Group = {
  name: 'results',
  summary: 'what they compute, on which processors, how fast',
  tasks: [
    {
      name: 'kernels',
      summary: 'C++ tests: same bits, guard pages, cases of the fuzzer',
      minutes: 2.5,
      quickMinutes: 0.5,
      builds: () => [native, kernels],
      // Without what tries every float, and with fewer lengths and samples.
      commands: (args) => {
        const ctest = ['ctest', '--test-dir', 'build-cmake', '--output-on-failure', '--verbose'];
        if (!isQuick(args)) return [ctest];
        return [
          ['build-cmake/kernels_test', '200000'],
          [...ctest, '--exclude-regex', '^kernels$'],
        ];
      },
    },
    {
      name: 'neon',
      summary: 'NEON on an emulated ARM: kernels and addon',
      minutes: 6,
      quickMinutes: 4,
      debian: ['g++-aarch64-linux-gnu', 'qemu-user', 'cmake'],
      builds: () => [dist],
      commands: script('checks/neon.sh'),
    },
    {
      name: 'old-cpu',
      summary: 'scalar and AVX2 on an emulated Nehalem and Haswell',
      minutes: 0.5,
      debian: ['qemu-user'],
      builds: () => [native, dist],
      commands: script('checks/old-cpu.sh'),
    },
    {
      name: 'wasm',
      summary: 'WebAssembly: the modules are built, the suite runs on both',
      minutes: 8,
      quickMinutes: 2.5,
      builds: () => [native, wasm, dist],
      options: [['FILE…', "of test; else all that are the backends'"]],
      commands: script('checks/wasm.sh'),
    },
    {
      name: 'browser',
      summary: 'the built package in Chromium: same bits, workers, policies',
      minutes: 0.5,
      debian: ['chromium'],
      builds: () => [wasm, dist],
      options: [['--browser PROGRAM', 'such as firefox-esr; else chromium']],
      commands: script('checks/browser/main.mjs'),
    },
    {
      name: 'accuracy',
      summary: 'errors in ULP are those of docs/numerics.md',
      minutes: 1.5,
      builds: () => [native, dist],
      options: [
        [
          '--write',
          'measures anew, beside what is installed of python3-torch (Debian) and examples/interop; writes the page',
        ],
      ],
      commands: script('checks/accuracy/main.ts'),
    },
    {
      name: 'same-tokens',
      summary: 'random rows and options of sample: one answer everywhere',
      minutes: 8,
      quickMinutes: 0.3,
      builds: () => [native, dist],
      options: [['--rows N', 'how many']],
      commands: (args) => [
        ['node', 'checks/same-tokens.mjs', ...(isQuick(args) ? ['--rows', '20000'] : args)],
      ],
    },
    {
      name: 'same-shards',
      summary: 'random rows in shards: the bits of whole rows, everywhere',
      minutes: 90,
      quickMinutes: 0.3,
      builds: () => [native, wasm, dist],
      options: [
        ['--problems N', 'on each backend'],
        ['--seed N', 'other problems'],
      ],
      commands: (args) => [
        ['tsx', 'checks/same-shards/main.ts', ...(isQuick(args) ? ['--problems', '300'] : args)],
      ],
    },
    {
      name: 'digits',
      summary: 'training gives one answer on each backend, with no compiler',
      minutes: 2,
      quickMinutes: 0.7,
      builds: (args) => (isQuick(args) ? [native] : []),
      commands: script('checks/digits.sh'),
    },
    {
      name: 'node-versions',
      summary: 'every dtype on Node 20, 22, 24 and 26: the same bits',
      minutes: 0.3,
      builds: () => [native, dist],
      commands: script('checks/node-versions/main.sh'),
    },
    {
      name: 'benchmarks',
      summary: 'they run: a few seconds of each',
      minutes: 0.3,
      builds: () => [native, dist, kernels],
      commands: () => [
        ['tsx', 'bench/bench.ts', '--quick', '--dtype', 'float32', '--shape', '1x10,64x1000'],
        ['build-cmake/kernels_bench', 'softmax', '64x1000x1'],
      ],
    },
  ],
};
