// The directory of prebuilt binaries: what is in it, copies, checksums.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, it } from 'vitest';
import { audit, compile, fileOf, gcc, gccArm64, newDirectory, writeSums } from './binaries.js';

const platform = `linux-${process.arch}`;
const file = `${platform}/softmax-native.node`;
const compiler = process.arch === 'arm64' ? { ...gccArm64, command: gcc.command } : gcc;

let directory = '';
beforeEach(() => {
  directory = newDirectory();
  compile(compiler, fileOf(directory, platform));
  writeSums(directory);
});

const missing = (name: string) => `${name}/softmax-native.node: is missing: npm run prebuild -- ${name}`;

it('one platform alone has to be there, or all', () => {
  expect(audit(directory, platform)).toEqual([]);
  const others = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-x64', 'darwin-arm64'];
  expect(audit(directory)).toEqual(others.filter((other) => other !== platform).map(missing));
});

it('SOFTMAX_PREBUILDS names the platforms', () => {
  const run = (names: string) =>
    spawnSync(process.execPath, ['checks/audit/main.mjs', '--directory', directory], {
      env: { ...process.env, SOFTMAX_PREBUILDS: names },
      encoding: 'utf8',
    });
  expect(run(platform).status).toBe(0);
  expect(run(`${platform},win32-x64`).stderr).toBe(`audit: ${missing('win32-x64')}\n`);
  expect(run('linux-x46').stderr).toMatch(/^audit: linux-x46 is none of the platforms linux-x64, /);
});

it('a file that has no place here', () => {
  writeFileSync(`${directory}/${platform}/old.node`, 'old');
  expect(audit(directory, platform)).toEqual([`${platform}/old.node: is not to be here`]);
});

it('a binary of a platform that is not expected', () => {
  expect(audit(directory, 'win32-x64')).toEqual([missing('win32-x64'), `${file}: is not to be here`]);
});

it('a copy in another directory', () => {
  const target = fileOf(directory, 'win32-x64');
  compile(compiler, target);
  writeFileSync(target, readFileSync(fileOf(directory, platform)));
  writeSums(directory);
  expect(audit(directory, platform, 'win32-x64')).toEqual([
    `win32-x64/softmax-native.node: has the same bytes as ${file}`,
    'win32-x64/softmax-native.node: is ELF, not PE',
  ]);
});

it('what is no binary', () => {
  const write = (bytes: Buffer) => {
    writeFileSync(fileOf(directory, platform), bytes);
    writeSums(directory);
  };
  const sound = readFileSync(fileOf(directory, platform));
  write(Buffer.from('version https://git-lfs.github.com/spec/v1\n'));
  const [pointer] = audit(directory, platform);
  expect(pointer).toMatch(/cannot be read: llvm-readobj: .*not recognized as a valid object file$/);
  write(sound.subarray(0, sound.length / 2));
  const [half] = audit(directory, platform);
  expect(half).toMatch(/cannot be read: llvm-readobj: .*past the end of the file/);
  write(Buffer.alloc(0));
  expect(audit(directory, platform)[0]).toMatch(/cannot be read/);
  write(Buffer.concat([Buffer.from('cafebabe', 'hex'), sound]));
  expect(audit(directory, platform)).toEqual([`${file}: is a universal binary, of several machines`]);
});

it('checksums that are missing, wrong, or of more than there is', () => {
  const path = `${directory}/SHA256SUMS`;
  const sound = readFileSync(path, 'utf8');
  expect(sound).toMatch(/^[0-9a-f]{64} {2}linux-\w+\/softmax-native\.node\n$/);
  writeFileSync(
    path,
    sound.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
  );
  expect(audit(directory, platform)).toEqual([`SHA256SUMS: ${file} is another file`]);
  writeFileSync(path, `${sound}${'0'.repeat(64)}  win32-x64/softmax-native.node\n`);
  expect(audit(directory, platform)).toEqual([
    'SHA256SUMS: has win32-x64/softmax-native.node, which is not there',
  ]);
  writeFileSync(path, '');
  expect(audit(directory, platform)).toEqual([`SHA256SUMS: does not have ${file}`]);
});

it('no directory, no sums, no LLVM', () => {
  expect(audit(`${directory}/nowhere`, platform)).toEqual([missing(platform), 'SHA256SUMS: is missing']);
  const run = spawnSync(process.execPath, ['checks/audit/main.mjs', '--directory', directory, platform], {
    env: { ...process.env, PATH: directory },
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('audit: there is no llvm-readobj: install LLVM (Debian: llvm)\n');
  expect(run.status).toBe(1);
});

// What Linux binaries may import is in musl. Debian: musl.
const musl = '/lib/ld-musl-x86_64.so.1';
it.skipIf(!existsSync(musl))('libc-symbols.txt has nothing that musl has not', () => {
  const { stdout } = spawnSync('llvm-nm', ['-D', '--defined-only', musl], { encoding: 'utf8' });
  const defined = new Set(stdout.split('\n').map((line) => line.split(' ').at(-1)));
  expect(defined.size).toBeGreaterThan(1000);
  const names = readFileSync('checks/audit/libc-symbols.txt', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(names.filter((name) => !defined.has(name))).toEqual([]);
});
