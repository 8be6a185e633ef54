// What vector instructions this CPU has.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { Backend } from 'softmax-native';

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
export function simdOf({ path }: Backend): readonly string[] {
  if (path !== null) return (createRequire(import.meta.url)(path) as { supported: string[] }).supported;
  // Every 64-bit ARM has it.
  return process.arch === 'arm64' ? ['neon'] : linuxFlags();
}
