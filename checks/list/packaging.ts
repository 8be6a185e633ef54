// Checks of what users install, and of what they use it with.

import { dist, host, native, platforms, prebuilds } from '../../tools/front-door/builds.js';
import { type Group, isQuick, script } from '../../tools/front-door/task.js';

/** Platforms that are named, else those given. */
const named = (args: readonly string[], otherwise: readonly string[]) => {
  const found = args.filter((argument) => platforms.includes(argument));
  return found.length > 0 ? found : otherwise;
};
const runnable = ['linux-x64', 'linux-arm64', 'win32-x64'];
const platform = ['PLATFORM…', platforms.join(', ')] as const;

export const packaging: Group = {
  name: 'packaging',
  summary: 'the npm package, its binaries and its companions',
  tasks: [
    {
      name: 'package',
      summary: 'the tarball in npm, pnpm, Yarn, Bun, Deno, bundlers, Nodes',
      minutes: 1.5,
      quickMinutes: 0.7,
      debian: ['gcc', 'llvm', 'qemu-user'],
      builds: () => [native, dist, prebuilds([host])],
      options: [
        ['--only PART,…', 'contents, managers, types, bundlers, nodes, broken'],
        ['--keep', 'keeps the folders it was installed into'],
      ],
      commands: script('checks/package/main.mjs'),
    },
    {
      name: 'audit',
      summary: 'prebuilt binaries are what docs/releasing.md promises',
      minutes: 0.1,
      quickMinutes: 0.05,
      debian: ['llvm'],
      builds: (args) => [prebuilds(named(args, isQuick(args) ? [host] : platforms))],
      options: [platform],
      commands: (args) => [
        ['node', 'checks/audit/main.mjs', ...named(args, isQuick(args) ? [host] : platforms)],
      ],
    },
    {
      name: 'audit-tests',
      summary: 'the audit, these lists and workflows: each fault is found',
      minutes: 0.5,
      debian: ['gcc', 'llvm'],
      commands: (args) => [['vitest', 'run', '--config', 'checks/audit/vitest.config.ts', ...args]],
    },
    {
      name: 'prebuilds',
      summary: 'prebuilt binaries run: old CPUs, ARM, musl, Windows in Wine',
      minutes: 5,
      debian: ['cmake', 'libstdc++6-arm64-cross', 'musl', 'qemu-user', 'wine64'],
      builds: () => [dist, prebuilds(runnable)],
      options: [['PART…', 'linux-x64, linux-arm64, musl, win32-x64']],
      commands: script('checks/prebuilds.sh'),
    },
    {
      name: 'reproducible',
      summary: 'two builds in two directories are the same bytes',
      minutes: 4,
      debian: ['cmake'],
      options: [platform],
      commands: script('checks/reproducible.mjs'),
    },
    {
      name: 'http',
      summary: 'the HTTP example: answers, refusals, aborted requests, load',
      minutes: 0.7,
      builds: () => [native, dist],
      commands: script('checks/http.sh'),
    },
    {
      name: 'interop',
      summary: 'tensors of onnxruntime-node and transformers.js (470 MB)',
      minutes: 0.7,
      builds: () => [native, dist],
      commands: script('checks/interop.sh'),
    },
  ],
};
