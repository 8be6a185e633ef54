// npm pack and npm install of a clone, as far as they go without compiling: the script that npm runs then, in a copy of
// what it reads.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const platforms = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-x64', 'darwin-arm64'];
const host = `${process.platform}-${process.arch}`;

let clone = '';
beforeEach(() => {
  clone = realpathSync(mkdtempSync(join(tmpdir(), 'softmax-packing-')));
  for (const path of [
    'package.json',
    'tsconfig.json',
    'tsdown.config.ts',
    'src',
    'checks/audit',
    'native/variants.json',
    'tools/prepare-package.mjs',
    'tools/named-exports.ts',
    'tools/wasm-modules.ts',
    'test/helpers/signatures.ts',
  ])
    cpSync(join(root, path), join(clone, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  // In the place of a compiler.
  const compile = `import { mkdirSync, writeFileSync } from 'node:fs';
    mkdirSync('build/Release', { recursive: true });
    writeFileSync('build/Release/softmax_native.node', process.argv.slice(2).join());`;
  writeFileSync(join(clone, 'tools/build-native.mjs'), compile);
  writeFileSync(join(clone, 'tools/build-wasm.mjs'), '');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** The script as npm runs it. */
function runAs(stage: string, command: string, environment: Record<string, string> = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^SOFTMAX_/i.test(name));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/prepare-package.mjs'], {
    cwd: clone,
    encoding: 'utf8',
    env: {
      ...Object.fromEntries(inherited),
      npm_lifecycle_event: stage,
      npm_command: command,
      npm_config_local_prefix: clone,
      ...environment,
    },
  });
  expect(stdout).toBe('');
  return { status, lines: stderr.trim().split('\n') };
}

/** Newer than the sources. */
const copyDist = () => cpSync(join(root, 'dist'), join(clone, 'dist'), { recursive: true });
const exists = (path: string) => existsSync(join(clone, path));
const elsewhere = { npm_config_local_prefix: tmpdir() };
const packed = { ...elsewhere, npm_package_resolved: '/a/clone' };
const linked = { ...elsewhere, npm_package_resolved: 'null' };

it('npm pack builds dist, and names the prebuilt binaries that are missing with what makes them', () => {
  const { status, lines } = runAs('prepack', 'pack');
  expect(status).toBe(1);
  expect(lines[0]).toBe('softmax-native: building dist');
  for (const platform of platforms)
    expect(lines).toContain(
      `audit: ${platform}/softmax-native.node: is missing: npm run prebuild -- ${platform}`,
    );
  expect(lines.at(-1)).toBe(
    'softmax-native: not packed: the audit says what is wrong with prebuilds (docs/releasing.md)',
  );
  expect(exists('dist/index.cjs') && exists('dist/cli.mjs')).toBe(true);
  expect(exists('build/Release')).toBe(false);
});

it('dist is built again when a source is newer, and not otherwise', () => {
  const isBuilding = () => runAs('prepack', 'publish').lines[0] === 'softmax-native: building dist';
  copyDist();
  expect(isBuilding()).toBe(false);
  const later = Date.now() / 1000 + 60;
  utimesSync(join(clone, 'src/index.ts'), later, later);
  expect(isBuilding()).toBe(true);
});

it('npm ci and npm install in the clone make nothing', () => {
  for (const command of ['ci', 'install'])
    expect(runAs('prepare', command)).toEqual({ status: 0, lines: [''] });
  expect(exists('dist')).toBe(false);
});

it('a linked clone gets dist and a native build, no prebuilt binary', () => {
  expect(runAs('prepare', 'install', linked)).toEqual({
    status: 0,
    lines: ['softmax-native: building dist'],
  });
  expect(exists('dist/index.mjs')).toBe(true);
  expect(exists('build/Release/softmax_native.node')).toBe(true);
  expect(exists('prebuilds')).toBe(false);
});

it('a clone that is packed to be installed, as from git, gets its native build where the package has it', () => {
  copyDist();
  expect(runAs('prepare', 'install', packed)).toEqual({ status: 0, lines: [''] });
  expect(exists(`prebuilds/${host}/softmax-native.node`)).toBe(true);
});

it('a prebuilt binary is not replaced, nor anything compiled for it', () => {
  copyDist();
  const prebuilt = `prebuilds/${host}/softmax-native.node`;
  mkdirSync(join(clone, 'prebuilds', host), { recursive: true });
  writeFileSync(join(clone, prebuilt), 'prebuilt');
  for (const how of [packed, linked]) expect(runAs('prepare', 'install', how).status).toBe(0);
  expect(exists('build/Release')).toBe(false);
});
