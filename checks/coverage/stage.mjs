// A copy of the project to run the suite in, with counters in its sources, its native code, or both: nothing of the
// clone changes, however a run ends.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { countSources } from './instrument.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const out = `${root}/build-coverage`;
export const stage = `${out}/package`;
/** What the processes of a run leave: counts of sources, profiles of native code. */
export const counts = `${out}/counts`;
export const profiles = `${out}/profiles`;

/** Runs a command and ends this program where it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error !== undefined) throw new Error(`coverage: ${command} does not run: ${error.message}`);
  if (status !== 0)
    throw new Error(`coverage: ${command} ${args.slice(0, 2).join(' ')} ended with ${status}`);
}

const isCopied = (name) => !/^(?:build.*|dist|node_modules|prebuilds|\..*|.*\.log)$/.test(name);

/** With the addon at that place; `isCounted`: the sources count; `keeps`: to what was counted before. */
export function makeStage(addon, isCounted, keeps = false) {
  for (const directory of [stage, counts, profiles]) {
    if (!keeps || directory === stage) rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  for (const name of readdirSync(root).filter(isCopied))
    cpSync(`${root}/${name}`, `${stage}/${name}`, {
      recursive: true,
      filter: (path) => !path.endsWith('/node_modules'),
    });
  symlinkSync(`${root}/node_modules`, `${stage}/node_modules`);
  cpSync(addon, `${stage}/build/Release/softmax_native.node`);
  const sources = isCounted ? countSources(stage, counts) : undefined;
  run(process.execPath, [`${root}/node_modules/tsdown/dist/run.mjs`, '--logLevel', 'error'], { cwd: stage });
  return sources;
}
