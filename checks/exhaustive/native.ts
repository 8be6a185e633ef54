// The native part: build-cmake/exhaustive (native/test/exhaustive.cc), a sweep at a time.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Steps } from './figures.js';
import type { Sweep } from './rows.js';

const program =
  process.platform === 'win32' ? 'build-cmake/Release/exhaustive.exe' : join('build-cmake', 'exhaustive');

export interface NativeSweep {
  readonly inputs: number;
  readonly worst: { readonly error: number; readonly pattern: number };
  readonly isas: readonly string[];
  /** ISAs whose bits are not the scalar kernels'. */
  readonly differences: readonly { readonly isa: string; readonly count: number; readonly first: number }[];
}

type Report = (share: number) => void;

/** What a program prints; lines `progress 0.25` on its error output are progress. */
export async function outputOf(
  command: string,
  args: readonly string[],
  progress: Report,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  createInterface(child.stderr).on('line', (line) => {
    if (line.startsWith('progress ')) progress(Number(line.slice(9)));
    else errors += `${line}\n`;
  });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  // 1: ISAs differ, as the output says.
  if (status !== 0 && !(status === 1 && output.startsWith('{')))
    throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${errors}`);
  return output;
}

const argumentsOf = ({ name, multiplier, every }: Sweep) => [
  name,
  '--multiplier',
  String(multiplier),
  '--every',
  String(every),
];

/** The findings, and the hash of each row's results. */
export async function nativeSweep(
  sweep: Sweep,
  threads: number,
  progress: Report,
): Promise<[NativeSweep, Uint32Array]> {
  const directory = mkdtempSync(join(tmpdir(), 'exhaustive-'));
  try {
    const file = join(directory, 'hashes');
    const args = [...argumentsOf(sweep), '--threads', String(threads), '--progress', '--hashes', file];
    const findings: NativeSweep = JSON.parse(await outputOf(program, args, progress));
    return [findings, new Uint32Array(new Uint8Array(readFileSync(file)).buffer)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export async function nativeSteps(every: number, threads: number, progress: Report): Promise<Steps> {
  const args = ['steps', '--every', String(every), '--threads', String(threads), '--progress'];
  const { arguments: ofArguments, series, products } = JSON.parse(await outputOf(program, args, progress));
  return { arguments: ofArguments, series, products };
}

/** The bits of a row's results. */
export function nativeRow(row: number, sweep: Sweep): Uint32Array {
  const args = [...argumentsOf(sweep), '--row', String(row)];
  const { stdout } = spawnSync(program, args, { maxBuffer: 2 ** 21 });
  return new Uint32Array(new Uint8Array(stdout).buffer);
}
