// Debian packages that tasks need: whether they are there, and installing those that are not.

import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a program of that name can be run. */
function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A library of clang 14, whose directory is named by its exact version. */
function hasLibraryOfClang(library: string): boolean {
  if (!hasCommand('clang++-14')) return false;
  const path = execFileSync('clang++-14', [`-print-file-name=${library}`], { encoding: 'utf8' }).trim();
  return existsSync(path);
}

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** How each package is recognised, whoever installed it. */
const signs = {
  chromium: () => hasCommand('chromium'),
  'clang-14': () => hasCommand('clang++-14'),
  'clang-16': () => hasCommand('clang++-16'),
  'clang-format': () => hasCommand('clang-format'),
  cmake: () => hasCommand('cmake'),
  gcc: () => hasCommand('gcc'),
  'g++': () => hasCommand('g++'),
  'g++-aarch64-linux-gnu': () => hasCommand('aarch64-linux-gnu-g++'),
  'libcpuinfo-dev': () => existsSync('/usr/include/cpuinfo.h'),
  'libclang-rt-14-dev': () => hasLibraryOfClang(`libclang_rt.asan-${machine}.so`),
  'libdnnl-dev': () => existsSync('/usr/include/dnnl.hpp'),
  'libpthreadpool-dev': () => existsSync('/usr/include/pthreadpool.h'),
  'libstdc++6-arm64-cross': () => existsSync('/usr/aarch64-linux-gnu/lib/libstdc++.so.6'),
  'libxnnpack-dev': () => existsSync('/usr/include/xnnpack.h'),
  'lld-14': () => hasCommand('ld64.lld-14'),
  llvm: () => hasCommand('llvm-readobj'),
  'lld-16': () => hasCommand('wasm-ld-16'),
  'llvm-14': () => hasCommand('llvm-cov-14'),
  musl: () => existsSync('/lib/ld-musl-x86_64.so.1'),
  'qemu-user': () => hasCommand('qemu-x86_64'),
  'nats-server': () => hasCommand('nats-server'),
  'redis-server': () => hasCommand('redis-server'),
  wine64: () => hasCommand('wine64') || existsSync('/usr/lib/wine/wine64'),
} satisfies Record<string, () => boolean>;

export type DebianPackage = keyof typeof signs;

export const missingOf = (packages: Iterable<DebianPackage>): DebianPackage[] =>
  [...new Set(packages)].filter((name) => !signs[name]()).sort();

/** Installs what is missing. False, with a message that says what and how, where that is not possible. */
export function install(door: string, packages: Iterable<DebianPackage>): boolean {
  const missing = missingOf(packages);
  if (missing.length === 0) return true;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !hasCommand('apt-get')) {
    console.error(`${door}: missing: ${missing.join(', ')}. On Debian, as root: ${command}`);
    return false;
  }
  console.log(`${door}: installs from Debian: ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args: string[]) => spawnSync('apt-get', ['-qq', ...args], { env, encoding: 'utf8' });
  aptGet('update');
  const { status, stdout, stderr } = aptGet('install', '-y', '--no-install-recommends', ...missing);
  const left = missingOf(missing);
  if (status === 0 && left.length === 0) return true;
  console.error(`${stdout}${stderr}`.trim().split('\n').slice(-10).join('\n'));
  console.error(`${door}: missing: ${left.join(', ')}. This failed: ${command}`);
  return false;
}
