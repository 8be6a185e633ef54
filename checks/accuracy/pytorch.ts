// PyTorch, where Python has it (Debian: python3-torch).

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './contestants.js';

const script = fileURLToPath(new URL('pytorch.py', import.meta.url));

/** Bytes of a stream by number, and up to a line's end. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async #next(): Promise<Buffer> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new Error('PyTorch: the process has ended');
    return value;
  }

  async bytes(count: number): Promise<Buffer> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < count) {
      const chunk = await this.#next();
      parts.push(chunk);
      length += chunk.length;
    }
    const all = Buffer.concat(parts);
    this.#rest = all.subarray(count);
    return all.subarray(0, count);
  }

  async line(): Promise<string> {
    let end = this.#rest.indexOf(10);
    while (end < 0) {
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
      end = this.#rest.indexOf(10);
    }
    return (await this.bytes(end + 1)).toString();
  }
}

/** A Python process that has said in its first line which version of PyTorch it has. */
export interface PythonProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly reader: Reader;
  readonly version: string;
}

/** Undefined where there is no such Python, or no PyTorch in it. */
async function startWith(
  python: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<PythonProcess | undefined> {
  const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'ignore'], env });
  // No such program: the output ends at once, which is what counts.
  child.on('error', () => {});
  const reader = new Reader(child.stdout);
  try {
    return { child, reader, version: JSON.parse(await reader.line()).version };
  } catch {
    return undefined;
  }
}

/** With Python as it comes, or Debian's own, which has Debian's packages. */
export async function startPython(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<PythonProcess | undefined> {
  return (await startWith('python3', args, env)) ?? (await startWith('/usr/bin/python3', args, env));
}

export async function pytorch(): Promise<Contestant | undefined> {
  const python = await startPython([script]);
  if (python === undefined) return undefined;
  const { child, reader, version } = python;
  return {
    name: 'PyTorch',
    version,
    async measure(operation, { dtype, rows, length, values, targets }) {
      child.stdin.write(`${JSON.stringify({ operation, dtype, rows, length })}\n`);
      for (const { buffer, byteOffset, byteLength } of [values, targets])
        child.stdin.write(new Uint8Array(buffer, byteOffset, byteLength));
      const { bytes } = JSON.parse(await reader.line());
      if (bytes === undefined) return undefined;
      return new Float64Array(Uint8Array.from(await reader.bytes(bytes)).buffer);
    },
    close: () => child.stdin.end(),
  };
}
