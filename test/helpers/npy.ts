// .npy files made by hand, and the command line run on them.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const cliPath = join(root, 'dist/cli.mjs');

/** As of a shell that has none of this program's variables. */
export function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  const names = [
    'SOFTMAX_BACKEND',
    'SOFTMAX_ISA',
    'SOFTMAX_THREADS',
    'NODE_OPTIONS',
    'FORCE_COLOR',
    'NO_COLOR',
  ];
  for (const name of names) delete env[name];
  return { ...env, ...extra };
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `flags`: Node's own. */
export function cli(
  words: readonly string[],
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Outcome {
  const options = { encoding: 'utf8', env: environment(env), timeout: 100_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, cliPath, ...words], options);
  return { status, stdout, stderr };
}

const runsPath = join(root, 'test/helpers/cli-runs.mjs');

/** Of several runs in one process: for tests of what is computed. */
export function cliRuns(runs: readonly (readonly string[])[]): Outcome[] {
  const options = {
    encoding: 'utf8',
    env: environment(),
    timeout: 100_000,
    input: JSON.stringify(runs),
  } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [runsPath, cliPath], options);
  const outcomes: Outcome[] = JSON.parse(stdout || '[]');
  if (status !== 0 || outcomes.length < runs.length)
    throw new Error(`${outcomes.length} of ${runs.length} runs, then ${signal ?? status}: ${stderr}`);
  return outcomes;
}

export type Code = 'f2' | 'V2' | 'f4' | 'f8';
export type Values = Float32Array | Float64Array | Uint16Array;

const swapped = (bytes: Buffer, size: number): Buffer => {
  const copy = Buffer.from(bytes);
  if (size === 2) return copy.swap16();
  return size === 4 ? copy.swap32() : copy.swap64();
};

export const bytesOf = (values: Values): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** Elements of a dtype; those of '>f4' and the like are swapped. The tests' machines are little-endian. */
export function dataBytes(descr: string, values: Values): Buffer {
  const bytes = bytesOf(values);
  return descr.startsWith('>') ? swapped(bytes, values.BYTES_PER_ELEMENT) : Buffer.from(bytes);
}

/** A header as NumPy writes it: padded so that the data begins at a multiple of 64. */
export function headerBytes(text: string, version = 1): Buffer {
  const lengthSize = version === 1 ? 2 : 4;
  const used = 8 + lengthSize + Buffer.byteLength(text) + 1;
  const body = Buffer.from(`${text}${' '.repeat((64 - (used % 64)) % 64)}\n`);
  const prefix = Buffer.alloc(8 + lengthSize);
  prefix.write('\x93NUMPY', 'latin1');
  prefix[6] = version;
  if (version === 1) prefix.writeUInt16LE(body.length, 8);
  else prefix.writeUInt32LE(body.length, 8);
  return Buffer.concat([prefix, body]);
}

export function dictText(descr: string, shape: readonly number[], isFortranOrder = false): string {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  return `{'descr': '${descr}', 'fortran_order': ${isFortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }`;
}

/** A directory for one test file. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'softmax-cli-'));
  readonly at = (name: string): string => join(this.path, name);
  readonly names = (): string[] => readdirSync(this.path).sort();

  write(name: string, ...parts: readonly Uint8Array[]): string {
    writeFileSync(this.at(name), Buffer.concat(parts));
    return this.at(name);
  }

  read(name: string): Buffer {
    return readFileSync(this.at(name));
  }

  /** For the next test. */
  empty(): void {
    for (const name of this.names()) rmSync(this.at(name), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
