// Checks of what users install, and of what they use it with.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dist, host, native, platforms, prebuilds, root, wasm } from '../../tools/front-door/builds.js';
import { type Group, isQuick, script } from '../../tools/front-door/task.js';

/** Platforms that are named; else all, or with --quick this machine's and those that have been built. */
function audited(args: readonly string[]): readonly string[] {
  const named = args.filter((argument) => platforms.includes(argument));
  if (named.length > 0) return named;
  if (!isQuick(args)) return platforms;
  return platforms.filter((name) => name === host || existsSync(join(root, 'prebuilds', name)));
}
const runnable = ['linux-x64', 'linux-arm64', 'win32-x64'];
const platform = ['PLATFORM…', platforms.join(', ')] as const;

export const packaging: Group = {
  name: 'packaging',
  summary: 'the npm package, its binaries and its companions',
  tasks: [
    {
      name: 'package',
      summary: 'the tarball in npm, pnpm, Yarn, Bun, Deno, bundlers, Next.js',
      minutes: 5,
      quickMinutes: 1,
      debian: ['chromium', 'gcc', 'llvm', 'qemu-user'],
      builds: (args) => [native, wasm, dist, ...(isQuick(args) ? [] : [prebuilds([host])])],
      options: [
        ['--only PART,…', 'contents, managers, types, bundlers, web, next, jest, nodes, broken'],
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
      builds: (args) => [prebuilds(audited(args))],
      options: [platform],
      commands: (args) => [['node', 'checks/audit/main.mjs', ...audited(args)]],
    },
    {
      name: 'audit-tests',
      summary: 'the audit, these lists and workflows: each fault is found',
      minutes: 0.5,
      debian: ['gcc', 'llvm'],
      options: [['FILE…', 'of test/audit']],
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
      name: 'site',
      summary: "the site: links, accessibility, the playground's numbers",
      minutes: 1.5,
      debian: ['chromium'],
      builds: () => [wasm, dist],
      commands: () => [
        ['tsx', 'site/main.ts', 'build', '--base', '/softmax-native/'],
        ['site/node_modules/.bin/vue-tsc', '--noEmit', '-p', 'site'],
        ['tsx', 'site/browser/check.ts'],
      ],
    },
    {
      name: 'http',
      summary: 'the HTTP example: answers, refusals, aborted requests, load',
      minutes: 0.7,
      builds: () => [native, dist],
      commands: script('checks/http.sh'),
    },
    {
      name: 'llm-server',
      summary: 'the examples of tokens: names, and a server of completions',
      minutes: 0.7,
      builds: () => [native, dist],
      commands: script('checks/llm-server.sh'),
    },
    {
      name: 'batch-scoring',
      summary: 'the batch scoring example: workers, Redis and disk are lost',
      minutes: 3,
      quickMinutes: 0.6,
      debian: ['redis-server'],
      builds: () => [native, dist],
      options: [['PART…', 'results, errors, losses, browser (which needs Chromium)']],
      commands: script('checks/batch-scoring.sh'),
    },
    {
      name: 'sharded',
      summary: 'the example of a layer in shards: its bits, lost processes',
      minutes: 1,
      debian: ['nats-server'],
      builds: () => [native, dist],
      commands: script('checks/sharded.sh'),
    },
    {
      name: 'interop',
      summary: 'onnxruntime-node, transformers.js: tensors, tokens (470 MB)',
      minutes: 0.7,
      builds: () => [native, dist],
      commands: script('checks/interop.sh'),
    },
  ],
};
