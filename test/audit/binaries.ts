// Tiny binaries with Node-API's two functions, compiled so that one property at a time is wrong, and what the audit
// says of them.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import variants from '../../native/variants.json' with { type: 'json' };
import { linkedBy } from './macho-file.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Made when it is needed: a file whose tests are all skipped runs no hooks.
let scratch: string | undefined;
afterAll(() => {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
});

const source = `
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
/* What the library of the compiler would have: zig compiles that for minutes when it is first asked for it. */
unsigned _tls_index;
int _DllMainCRTStartup(void* library, unsigned reason, void* reserved) {
  volatile char frame[64] = {0}; /* So that there are tables to unwind it. */
  return frame[reason & 63] == 0;
}
#else
#define EXPORT __attribute__((visibility("default")))
int napi_get_undefined(void*, void**);
#endif
EXPORT int node_api_module_get_api_version_v1(void) { return 8; }
EXPORT void* napi_register_module_v1(void* env, void* exports) {
#ifndef _WIN32
  napi_get_undefined(env, &exports);
#endif
  return exports;
}
`;

export interface Compiler {
  readonly command: readonly string[];
  readonly flags: readonly string[];
  /** What is done to each file that it compiles. */
  readonly finish?: (bytes: Buffer) => void;
}

/** What differs from a sound binary. */
export interface Change {
  readonly code?: string;
  readonly source?: (sound: string) => string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  /** Of the file that is compiled. */
  readonly patch?: (bytes: Buffer) => void;
}

const elfFlags = ['-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,nodelete', '-Wl,-z,noexecstack'];
const commonFlags = ['-O1', '-shared', '-fvisibility=hidden', '-fno-stack-protector', '-s'];

/** The system's compiler, of this machine's own format. */
export const gcc: Compiler = { command: ['gcc'], flags: [...commonFlags, '-fPIC', ...elfFlags] };

export const gccArm64: Compiler = {
  command: ['aarch64-linux-gnu-gcc'],
  flags: [...gcc.flags, '-Wl,-z,max-page-size=65536'],
};

export const zigPath =
  process.env.SOFTMAX_ZIG ??
  join(root, 'tools/prebuild/node_modules/@oven', `zig-linux-${process.arch}`, 'zig');
export const hasZig = existsSync(zigPath);

export function zig(target: string): Compiler {
  const command = [zigPath, 'cc', '-target', target];
  if (target.includes('windows')) return { command, flags: [...commonFlags, '-nostdlib'] };
  if (!target.includes('macos')) return { command, flags: commonFlags };
  // By zig's own linker, which is not that of the prebuilt binaries.
  const flags = [...commonFlags, '-Wl,-undefined,dynamic_lookup', '-Wl,-dead_strip'];
  return { command, flags, finish: linkedBy(variants.prebuilds.llvm) };
}

export const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr}`);
  return stdout;
}

let directories = 0;
export function newDirectory(): string {
  directories++;
  scratch ??= mkdtempSync(join(tmpdir(), 'softmax-audit-'));
  const directory = join(scratch, String(directories));
  mkdirSync(directory);
  return directory;
}

export function compile(compiler: Compiler, output: string, change: Change = {}): void {
  const { code = '', add = [], remove = [], patch } = change;
  const directory = newDirectory();
  writeFileSync(join(directory, 'addon.c'), (change.source?.(source) ?? source) + code);
  const flags = compiler.flags.filter((flag) => !remove.includes(flag));
  const [command = '', ...first] = compiler.command;
  // There, as compilers put other files beside it.
  const name = basename(output);
  run(command, [...first, 'addon.c', ...flags, ...add, '-o', name], directory);
  const bytes = readFileSync(join(directory, name));
  compiler.finish?.(bytes);
  patch?.(bytes);
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, bytes);
}

export const fileOf = (directory: string, platform: string): string =>
  join(directory, platform, 'softmax-native.node');

export const writeSums = (directory: string): string =>
  run(process.execPath, [join(root, 'checks/audit/checksums.mjs'), directory], root);

/** The faults that the audit finds when these platforms have to be there. */
export function audit(directory: string, ...platforms: string[]): string[] {
  const args = [join(root, 'checks/audit/main.mjs'), '--directory', directory, ...platforms];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const faults = stderr.split('\n').filter((line) => line !== '');
  if (status !== (faults.length === 0 ? 0 : 1)) throw new Error(`exit code ${status}: ${stdout}${stderr}`);
  return faults.map((line) => line.replace(/^audit: /, ''));
}

// In this process: files.test.ts is of the programs.
const { audit: auditHere }: { audit(directory: string, expected: readonly string[]): { faults: string[] } } =
  await import(join(root, 'checks/audit/audit.mjs'));
const { writeChecksums }: { writeChecksums(directory: string): string } = await import(
  join(root, 'checks/audit/checksums.mjs')
);

/** Of one binary that stands in the place of a platform, with sums that fit. */
export function faultsOf(platform: string, compiler: Compiler, change: Change = {}): string[] {
  const directory = newDirectory();
  const file = fileOf(directory, platform);
  compile(compiler, file, change);
  writeChecksums(directory);
  const prefix = `${platform}/softmax-native.node: `;
  return auditHere(directory, [platform]).faults.map((fault) => {
    if (!fault.startsWith(prefix)) throw new Error(fault);
    return fault.slice(prefix.length);
  });
}
