// What the suite runs of the code: every line and branch of src, and nearly every line of native.
//   npm run check coverage -- [--only src|native] [--keep]
// One run of the suite, on the best instruction set, in JavaScript and of the package, in a copy of the project
// (build-coverage/package) that counts; for native before it kernels_test, which compares all instruction sets. Children
// and workers count too. --keep: counts of the run before are kept, and added to.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { buildNative, reportNative, runKernelsTest } from './native.mjs';
import { reportSources } from './sources.mjs';
import { counts, makeStage, profiles, root, stage } from './stage.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'boolean' } } });
if (values.only !== undefined && !['src', 'native'].includes(values.only))
  throw new Error(`--only ${values.only}: there are src, native`);
const ofSources = values.only !== 'native';
const ofNative = values.only !== 'src';

const addon = ofNative ? buildNative() : `${root}/build/Release/softmax_native.node`;
const sources = makeStage(addon, ofSources, values.keep);
if (ofNative) runKernelsTest();

const [best] = createRequire(import.meta.url)(`${root}/build/Release/softmax_native.node`).supported;
const projects = [best, 'js', 'package'].flatMap((name) => ['--project', name]);
const config = `${stage}/checks/coverage/vitest.config.ts`;
const suite = ['run', '--root', stage, '--config', config, '--reporter', 'dot', ...projects];
const { status } = spawnSync(process.execPath, [`${root}/node_modules/vitest/vitest.mjs`, ...suite], {
  cwd: stage,
  stdio: 'inherit',
  env: { ...process.env, LLVM_PROFILE_FILE: `${profiles}/%4m%c.profraw` },
});

const results = [
  [status === 0, 'the suite passes'],
  ...(ofSources ? [[reportSources(sources, counts), 'src: every line, every branch']] : []),
  ...(ofNative ? [[reportNative(addon), 'native: 95 % of the lines']] : []),
];
console.log();
for (const [isMet, what] of results) console.log(`${isMet ? 'ok     ' : 'FAILED '} ${what}`);
process.exitCode = results.every(([isMet]) => isMet) ? 0 : 1;
