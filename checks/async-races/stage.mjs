// A package as it would be installed, with another addon, and if wanted with the test suite beside it, or one that posts
// calls of all sizes.
//   node checks/async-races/stage.mjs DIRECTORY [--from PACKAGE] [--addon FILE] [--suite] [--post-all]

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string' },
    addon: { type: 'string' },
    suite: { type: 'boolean', default: false },
    'post-all': { type: 'boolean', default: false },
  },
});
const root = values.from ?? fileURLToPath(new URL('../..', import.meta.url));
const [stage] = positionals;
if (stage === undefined) throw new Error('stage: a directory is missing');
rmSync(stage, { recursive: true, force: true });
mkdirSync(`${stage}/build/Release`, { recursive: true });
cpSync(`${root}/dist`, `${stage}/dist`, { recursive: true });
cpSync(
  values.addon ?? `${root}/build/Release/softmax_native.node`,
  `${stage}/build/Release/softmax_native.node`,
);

if (values.suite) {
  const sources = [
    'src',
    'test',
    'docs',
    'native/variants.json',
    'tools/named-exports.ts',
    'tsdown.config.ts',
    'vitest.config.ts',
    'tsconfig.json',
  ];
  const files = ['package.json', 'README.md', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES'];
  for (const path of [...sources, ...files])
    cpSync(`${root}/${path}`, `${stage}/${path}`, { recursive: true });
  symlinkSync(resolve(root, 'node_modules'), `${stage}/node_modules`);
}

if (values['post-all']) {
  let changed = 0;
  for (const name of readdirSync(`${stage}/dist`)) {
    if (!/\.[cm]js$/.test(name)) continue;
    const text = readFileSync(`${stage}/dist/${name}`, 'utf8');
    const posting = text.replaceAll(/\binlineCost: [^,\n]+/g, 'inlineCost: -1');
    if (posting !== text) changed++;
    writeFileSync(`${stage}/dist/${name}`, posting);
  }
  if (changed === 0) throw new Error('stage: dist has no inlineCost to change');
}
