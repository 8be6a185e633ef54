// half.ts on every backend, each in a process of its own: the same hashes from all of them.

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { HalfFigures } from './figures.js';
import type { HalfReport } from './half.js';
import { outputOf } from './native.js';

const addon: { supported: string[] } = createRequire(import.meta.url)(
  '../../build/Release/softmax_native.node',
);
const script = fileURLToPath(new URL('half.ts', import.meta.url));

const backends = [
  ...addon.supported.map((isa) => ({ SOFTMAX_BACKEND: 'native', SOFTMAX_ISA: isa })),
  { SOFTMAX_BACKEND: 'js', SOFTMAX_ISA: '' },
];

/** `every`: errors of one row in so many, by the first backend; all have the same bits. */
export async function halfFigures(
  every: number,
  threads: number,
  problems: string[],
  progress: (share: number) => void,
): Promise<HalfFigures> {
  const reports: HalfReport[] = [];
  const shares = backends.map(() => 0);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < backends.length; i = next++) {
      const args = ['--import', 'tsx', script, ...(i === 0 ? ['--every', String(every)] : [])];
      const report = (share: number) => {
        shares[i] = share;
        progress(shares.reduce((sum, other) => sum + other, 0) / shares.length);
      };
      reports[i] = JSON.parse(
        await outputOf(process.execPath, args, report, { ...process.env, ...backends[i] }),
      );
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  const [first, ...others] = reports as [HalfReport, ...HalfReport[]];
  for (const { backend, hashes } of others) {
    const different = Object.keys(first.hashes).filter((key) => hashes[key] !== first.hashes[key]);
    if (different.length > 0)
      problems.push(
        `16 bits, ${backend}: ${different.length} calls differ from ${first.backend}'s, ${different[0]}`,
      );
  }
  // Pinned are the operations with exact references; others (half-exact.ts) pin their bits in test/numbers.
  const names = new Set(Object.keys(first.worst).map((key) => key.split(' ')[1]));
  const pinned = Object.entries(first.hashes).filter(([key]) =>
    key.split(' ').some((word) => names.has(word)),
  );
  const text = JSON.stringify(Object.fromEntries(pinned));
  const results = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { compared: first.compared, results, worst: first.worst };
}
