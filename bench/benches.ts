// The one list of benchmarks, which `npm run bench` prints and runs.

import { dist, kernels, native } from '../tools/front-door/builds.js';
import { type Group, program, script, type Task } from '../tools/front-door/task.js';

const part: Task['options'] = [
  ['--operation NAME,…', 'softmax, logSoftmax, softmaxBackward, crossEntropy'],
  ['--dtype NAME,…', 'float32, float64, float16, bfloat16'],
  ['--shape SHAPE,…', 'such as 64x1000, "1024x1024 axis 0"'],
];
const built = () => [native, dist];

export const benches: Group = {
  name: 'all',
  summary: 'every benchmark',
  tasks: [
    {
      name: 'calls',
      summary: 'each backend beside plain loops and a copy; into bench/results',
      minutes: 10,
      quickMinutes: 0.8,
      builds: built,
      options: [...part, ['--json FILE', 'for the numbers'], ['--svg FILE', 'for the charts']],
      commands: script('bench/bench.ts'),
    },
    {
      name: 'peers',
      summary: 'beside ONNX Runtime, PyTorch and others; docs/performance.md',
      minutes: 20,
      quickMinutes: 10,
      builds: built,
      options: [...part, ['--render', 'the page again, from its numbers']],
      commands: script('bench/peers/main.ts'),
    },
    {
      name: 'tokens',
      summary: 'top k and sampling beside logSumExp and others; docs/tokens.md',
      minutes: 3,
      builds: built,
      commands: script('bench/tokens/main.ts'),
    },
    {
      name: 'options',
      summary: 'what options, types and axes cost, on each backend',
      minutes: 4,
      builds: built,
      commands: script('bench/options.ts'),
    },
    {
      name: 'kernels',
      summary: 'beside their limits, oneDNN and XNNPACK; writes docs/kernels.md',
      minutes: 3,
      debian: ['libdnnl-dev', 'libxnnpack-dev', 'libpthreadpool-dev', 'libcpuinfo-dev'],
      builds: () => [native, kernels],
      options: [['NAME SHAPE', 'prints a part, such as "avx512  softmax " 64x1000x1']],
      commands: (args) =>
        args.length > 0 ? [['build-cmake/kernels_bench', ...args]] : [['tsx', 'bench/kernels/main.ts']],
    },
    {
      name: 'threads',
      summary: 'what threads gain, beside copying',
      minutes: 1,
      builds: () => [native, kernels],
      commands: program('build-cmake/threads_bench'),
    },
    {
      name: 'event-loop',
      summary: 'what calls do to the event loop of their process',
      minutes: 1,
      builds: built,
      options: [['--seconds N', 'for each load']],
      commands: script('bench/event-loop.ts'),
    },
    {
      name: 'crossover',
      summary: 'up to how many elements JavaScript is faster than a native call',
      minutes: 1,
      builds: built,
      commands: script('bench/crossover.ts'),
    },
    {
      name: 'memory',
      summary: 'calls with `out` beside calls whose result is a new array',
      minutes: 2,
      builds: built,
      commands: script('bench/memory.ts'),
    },
  ],
};
