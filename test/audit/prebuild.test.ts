// The prebuild takes LLVM's programs for macOS in one version only.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newDirectory } from './binaries.js';

/** What the prebuild says where these programs, with what they print, are all that there is. */
function prebuildWith(programs: Record<string, string>): string {
  const directory = newDirectory();
  for (const [name, says] of Object.entries({ cmake: 'cmake version 3.25.1', ...programs }))
    writeFileSync(join(directory, name), `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  const { status, stderr } = spawnSync(process.execPath, ['tools/prebuild/main.mjs', 'darwin-arm64'], {
    env: { ...process.env, PATH: directory },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  return stderr;
}

const isLinux = process.platform === 'linux' && process.arch === 'x64';
it.skipIf(!isLinux)('another version of the linker or of strip is refused by name', () => {
  const debian = '(Debian: apt-get install lld-14 llvm-14)\n';
  expect(prebuildWith({ 'ld64.lld': 'Debian LLD 19.1.7' })).toBe(
    `prebuild: macOS needs ld64.lld of LLVM 14.0.6, and ld64.lld is 19.1.7 ${debian}`,
  );
  expect(prebuildWith({ 'ld64.lld-14': 'LLD 14.0.0', 'ld64.lld': 'LLD 16.0.6' })).toBe(
    `prebuild: macOS needs ld64.lld of LLVM 14.0.6, and ld64.lld-14 is 14.0.0 ${debian}`,
  );
  expect(prebuildWith({ 'ld64.lld': 'Debian LLD 14.0.6' })).toBe(
    `prebuild: macOS needs llvm-strip of LLVM 14.0.6, and there is none ${debian}`,
  );
});
