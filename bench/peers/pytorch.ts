// PyTorch, where Python has it (Debian: python3-torch): processes that take turns with the others.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Reader } from '../../scripts/accuracy/pytorch.js';
import { type Problem, problemOf } from '../problem.js';
import type { Runner } from '../race.js';
import { worstError } from '../reference.js';

const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
const warmup = 10e6;

/** What follows the request. */
function payloadOf({ operation, input, output, target }: Problem): readonly ArrayBufferView[] {
  if (output) return [input.values, output.values];
  return operation === 'crossEntropy' ? [input.values, target] : [input.values];
}

/** Who it is, with how many threads. */
interface Way {
  readonly name: string;
  readonly threads: number;
  readonly variant: 'call' | 'out';
  readonly env: Readonly<Record<string, string>>;
}

async function start(python: string, { name, threads, variant, env }: Way): Promise<Runner | undefined> {
  const child = spawn(python, [script, `${threads}`, variant], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
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
    name,
    version,
    async enter(problemCase) {
      const { operation, dtype, shape } = problemCase;
      const problem = problemOf(problemCase);
      child.stdin.write(`${JSON.stringify({ operation, dtype, ...shape, warmup })}\n`);
      for (const { buffer, byteOffset, byteLength } of payloadOf(problem))
        child.stdin.write(new Uint8Array(buffer, byteOffset, byteLength));
      const { expected, bytes } = JSON.parse(await reader.line());
      if (bytes === undefined) return undefined;
      const result = new Float64Array(Uint8Array.from(await reader.bytes(bytes)).buffer);
      return {
        name,
        expected,
        error: worstError(problem, result),
        async turn(budget) {
          child.stdin.write(`${JSON.stringify({ budget })}\n`);
          return JSON.parse(await reader.line()).nanoseconds;
        },
      };
    },
    close: () => child.stdin.end(),
  };
}

/** Python as it comes, and Debian's own, which has Debian's packages. */
export async function pytorch(
  name: string,
  threads: number,
  variant: Way['variant'],
  env: Way['env'],
): Promise<Runner | undefined> {
  const way = { name, threads, variant, env };
  return (await start('python3', way)) ?? (await start('/usr/bin/python3', way));
}
