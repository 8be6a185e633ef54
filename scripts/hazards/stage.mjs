// A package as it would be installed, with another addon, and if wanted one that posts calls of all sizes.
//   node scripts/hazards/stage.mjs DIRECTORY [--from PACKAGE] [--addon FILE] [--post-all]

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string' },
    addon: { type: 'string' },
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
