// PyTorch, where Python has it (Debian: python3-torch): processes that take turns with the others.

import { fileURLToPath } from 'node:url';
import { startPython } from '../../checks/accuracy/pytorch.js';
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

/** One with so many threads. */
export async function pytorch(
  name: string,
  threads: number,
  variant: 'call' | 'out',
  env: Readonly<Record<string, string>>,
): Promise<Runner | undefined> {
  const python = await startPython([script, `${threads}`, variant], { ...process.env, ...env });
  if (python === undefined) return undefined;
  const { child, reader, version } = python;
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
