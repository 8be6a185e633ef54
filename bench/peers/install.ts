// The peers' packages: into this folder, where they are missing or of other versions.

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const time = (file: string): number =>
  statSync(new URL(file, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Some 550 MB. No script of theirs is run: they would download more. */
export function installPeers(): void {
  if (time('node_modules/.package-lock.json') > time('package-lock.json')) return;
  console.error('installing the peers into bench/peers …');
  const { status } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--loglevel=error', '--no-fund', '--no-audit'],
    {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    },
  );
  if (status !== 0) throw new Error('npm ci in bench/peers failed');
}
