// PyTorch, where Python has it (Debian: python3-torch).

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './contestants.js';

const script = fileURLToPath(new URL('pytorch.py', import.meta.url));

/** Bytes of a stream by number, and up to a line's end. */
export class Reader {
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

async function start(python: string): Promise<Contestant | undefined> {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  // No such program: the output ends at once, which is what counts.
  child.on('error', () => {});
  const reader = new Reader(child.stdout);
  let version: string;
  try {
    version = JSON.parse(await reader.line()).version;
  } catch {
    return undefined;
  }
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

/** Python as it comes, and Debian's own, which has Debian's packages. */
export async function pytorch(): Promise<Contestant | undefined> {
  return (await start('python3')) ?? (await start('/usr/bin/python3'));
}
