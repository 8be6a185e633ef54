// Node's versions, and the flags that touch native code: native code, or JavaScript with the reason.
import { join } from 'node:path';
import { check } from './checks.mjs';
import { consume, expectFallback, expectNative } from './expectations.mjs';
import { prebuild, root, run } from './stage.mjs';

const consumers = ['consumer.mjs', 'consumer.cjs'];

/** Flags under which native code serves, and those with the reason why it does not. */
function cases(installed, major) {
  const at = join(installed, 'node_modules/softmax-native', prebuild);
  const permission = major < 22 ? '--experimental-permission' : '--permission';
  const reads = (paths) => paths.map((path) => `--allow-fs-read=${join(installed, path)}`);
  const code = reads([
    'package.json',
    'node_modules/softmax-native/package.json',
    'node_modules/softmax-native/dist/*',
    ...consumers,
    'report.cjs',
  ]);
  const hardened = [
    '--frozen-intrinsics',
    '--disallow-code-generation-from-strings',
    '--disable-proto=throw',
  ];
  const forbidden = "Node's permission model forbids";
  const unread = `${forbidden} reading ${at}; run with --allow-addons and --allow-fs-read=${at}`;
  return [
    { name: 'no flags', flags: [] },
    { name: 'hardened', flags: hardened },
    { name: 'hardened, without a compiler', flags: ['--jitless', ...hardened] },
    { name: 'may do all of it', flags: [permission, '--allow-addons', '--allow-fs-read=*'] },
    {
      name: 'may read no more than it needs',
      flags: [permission, '--allow-addons', ...code, `--allow-fs-read=${at}`],
    },
    { name: 'may not read the file', flags: [permission, '--allow-addons', ...code], reason: unread },
    { name: 'may read its code alone', flags: [permission, ...code], reason: unread },
    {
      name: 'may not load addons',
      flags: [permission, '--allow-fs-read=*'],
      reason: `${forbidden} addons; run with --allow-addons`,
    },
    {
      name: 'no addons',
      flags: ['--no-addons'],
      reason: 'addons are disabled by --no-addons; run without it',
    },
  ];
}

async function checkNode({ installed }, program) {
  const version = run(program, ['-p', 'process.versions.node']).trim();
  const at = join(installed, 'node_modules/softmax-native', prebuild);
  for (const { name, flags, reason } of cases(installed, Number.parseInt(version, 10)))
    await check(
      `Node ${version}, ${name}: ${reason === undefined ? 'native' : 'JavaScript, no warning'}`,
      () => {
        for (const consumer of consumers) {
          const report = consume(installed, consumer, { program, flags });
          if (reason === undefined) expectNative(report, at);
          else expectFallback(report, reason, false);
        }
      },
    );
}

export async function nodes(stage, isQuick) {
  const others = isQuick
    ? []
    : run('bash', [join(root, 'tools/get-nodes.sh')])
        .trim()
        .split('\n');
  for (const program of isQuick ? [process.execPath] : others) await checkNode(stage, program);
}
