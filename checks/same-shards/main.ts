// Random rows cut into shards: on every instruction set, in WebAssembly and in JavaScript their results have the bits of
// whole rows, and their states are the same numbers everywhere.
//   npm run check same-shards -- [--problems N] [--seed S]

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon } from '../../src/backends/native/loader.js';

const { values } = parseArgs({
  options: { problems: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** What one backend says: a hash of all states, or the first difference. */
async function run(backend: string, isa: string): Promise<string> {
  const running = spawn(process.execPath, ['--import', 'tsx', child, values.problems, values.seed], {
    env: { ...process.env, SOFTMAX_BACKEND: backend, SOFTMAX_ISA: isa },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const text of running.stdout) said += text;
  return said.trim() || 'it ended without a word';
}

const backends = [
  ...loadAddon().supported.map((isa) => ['native', isa] as const),
  ['wasm', ''] as const,
  ['js', ''] as const,
];
const said = new Map<string, string>();
const left = [...backends];
// Two at a time: as many processes as CI has CPUs.
await Promise.all(
  [1, 2].map(async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const name = next.join(' ').trim();
      const [backend, isa] = next;
      const text = await run(backend, isa);
      console.log(`${name.padEnd(16)}${text}`);
      said.set(name, text);
    }
  }),
);
const isSame =
  new Set(said.values()).size === 1 && ![...said.values()].some((text) => /seed|word/.test(text));
console.log(`same-shards: ${values.problems} problems on each: ${isSame ? 'the same bits' : 'NOT the same'}`);
process.exitCode = isSame ? 0 : 1;
