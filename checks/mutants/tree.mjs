// The copy of the repository that faults are put into: the user's own files are never touched.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const scratch = `${root}build-mutants/`;
export const tree = `${scratch}tree/`;

/** What git knows or would take in, as it is now. */
export function makeTree() {
  rmSync(tree, { recursive: true, force: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of new Set(listed.split('\0'))) if (file !== '' && existsSync(root + file)) copy(file);
  symlinkSync(`${root}node_modules`, `${tree}node_modules`);
  const audit = 'checks/audit/';
  mkdirSync(tree + audit, { recursive: true });
}

function copy(file) {
  mkdirSync(dirname(tree + file), { recursive: true });
  copyFileSync(root + file, tree + file);
}

/** Puts a fault in; why it can't be, if it can't. */
export function applyPatch({ path }) {
  // Without a look at the repository around the copy, whose paths the patch would else be of.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: scratch.slice(0, -1) };
  const { status, stderr } = spawnSync('git', ['apply', path], { cwd: tree, env, encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim();
}

export function takeBack({ files }) {
  for (const file of files) copy(file);
}

/** The built package. */
export function buildDist() {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build:ts'], {
    cwd: tree,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `${stdout}${stderr}`.trim();
}
