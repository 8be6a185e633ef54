// softmax-native info

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { Backend } from 'softmax-native';
import { version } from '../version.js';
import { readArguments, refuseWords } from './arguments.js';
import { painter, print, printJson } from './terminal.js';

export const cpuModel = (): string => cpus()[0]?.model.trim() || 'unknown';

/** Of Linux's names, those that a kernel here could use, or what a CPU without has at least. */
const flags = ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq', 'avx2', 'fma', 'f16c', 'avx', 'sse4_2'];

function linuxFlags(): string[] {
  try {
    const [, line = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    const known = new Set(line.trim().split(/\s+/));
    return flags.filter((flag) => known.has(flag));
  } catch {
    return [];
  }
}

/** The addon knows which of its instruction sets run here; without it the system is asked. Empty: nobody says. */
function simdOf({ path }: Backend): readonly string[] {
  if (path !== null) return (createRequire(import.meta.url)(path) as { supported: string[] }).supported;
  // Every 64-bit ARM has it.
  return process.arch === 'arm64' ? ['neon'] : linuxFlags();
}

/** What brings native code, where the reason does not say that itself. */
function adviceFor({ kind, reason }: Backend): string | null {
  return kind !== 'native' && reason.startsWith('forced by') ? 'unset SOFTMAX_BACKEND' : null;
}

export const kinds = { native: 'native', wasm: 'WebAssembly', js: 'JavaScript' } as const;

export async function info(words: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('info', words, {
    json: { type: 'boolean', default: false },
  });
  refuseWords('info', positionals);
  const { backend, getThreads } = await import('softmax-native');
  const told = {
    version,
    backend,
    threads: getThreads(),
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    cpu: cpuModel(),
    simd: simdOf(backend),
    advice: adviceFor(backend),
  };
  if (values.json) printJson(told);
  else printTable(told);
}

interface Told {
  readonly version: string;
  readonly backend: Backend;
  readonly threads: number;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly cpu: string;
  readonly simd: readonly string[];
  readonly advice: string | null;
}

function printTable({ version, backend, threads, node, platform, arch, cpu, simd, advice }: Told): void {
  const paint = painter(process.stdout);
  const isNative = backend.kind === 'native';
  const kind = kinds[backend.kind];
  const tier = backend.isa === null ? kind : `${kind}, ${backend.isa}`;
  const rows: [string, string][] = [
    ['softmax-native', version],
    ['backend', paint(isNative ? 'green' : 'yellow', tier)],
    ...(backend.path === null ? [] : [['file', backend.path] as [string, string]]),
    ['reason', backend.reason],
    ['threads', String(threads)],
    ['node', `${node}, ${platform} ${arch}`],
    ['cpu', cpu],
    ['simd', simd.join(', ') || 'not known'],
  ];
  for (const [name, value] of rows) print(`${paint('dim', name.padEnd(14))}  ${value}`);
  if (advice !== null)
    print(paint('yellow', `${kind} serves: ${backend.reason}. For native code ${advice}.`));
}
