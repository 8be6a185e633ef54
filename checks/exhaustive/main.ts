// Every float32 through exp and log on every instruction set of this CPU and in JavaScript, and every float16 and bfloat16
// through every function: same bits, errors within what is promised, and the figures of docs/numerics.md.
//
//   npm run check exhaustive                      a quarter of an hour of CPU, on two threads
//   npm run check exhaustive -- --quick           a part of the inputs, and all of the rows where something happens: for CI
//   npm run check exhaustive -- --only exp        a part: what has this in its name (`steps`, `16 bits`, `log`, …)
//   npm run check exhaustive -- --write           publishes the figures of both kinds of run in docs/numerics.md; with
//                                                 --only or --quick those of a part
//   --threads N                                   2 by default

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writePage } from '../accuracy/page.js';
import {
  brokenPromises,
  differencesFrom,
  type Figures,
  type Published,
  type SweepFigures,
  sweepOf,
  sweeps,
} from './figures.js';
import { halfFigures } from './half-backends.js';
import { hashesInJavaScript } from './javascript.js';
import { nativeRow, nativeSteps, nativeSweep } from './native.js';
import { stage, stop } from './progress.js';
import { patternAt, rowsOf, type Sweep } from './rows.js';
import { rowResults } from './sweep.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    threads: { type: 'string', default: '2' },
  },
});
const threads = Number(options.threads);
const numbers = new URL('measured.json', import.meta.url);
const problems: string[] = [];

const hex = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;

/** The first result that JavaScript has otherwise. */
function describeDifference(row: number, sweep: Sweep): string {
  const native = nativeRow(row, sweep);
  const found = rowResults(row, sweep);
  const at = native.findIndex((word, i) => word !== found[i]);
  if (at < 0) return `row ${hex(row * 65536)}: the hashes differ, not the results`;
  const words = sweep.name === 'exp' || sweep.name === 'exp-beside-0' ? 1 : 2;
  const pattern = patternAt(row, sweep.every, Math.floor(at / words));
  return `pattern ${hex(pattern)}: bits ${hex(found[at] as number)}, natively ${hex(native[at] as number)}`;
}

async function runSweep(label: string, sweep: Sweep, backends: Set<string>): Promise<SweepFigures> {
  const [findings, hashes] = await nativeSweep(sweep, threads, stage(`${label}, native`));
  for (const isa of findings.isas) backends.add(isa);
  for (const { isa, count, first } of findings.differences)
    problems.push(
      `${label}, ${isa}: ${count} results differ from the scalar kernels', the first at ${hex(first)}`,
    );
  const inJavaScript = await hashesInJavaScript(sweep, threads, stage(`${label}, JavaScript`));
  const rows = [...hashes.keys()].filter((i) => hashes[i] !== inJavaScript[i]);
  if (rows.length > 0) {
    const first = describeDifference(rowsOf[sweep.name][0] + (rows[0] as number), sweep);
    problems.push(
      `${label}, JavaScript: ${rows.length} of ${hashes.length} rows differ from native, ${first}`,
    );
  }
  const { error, pattern } = findings.worst;
  const results = createHash('sha256').update(hashes).digest('hex').slice(0, 16);
  return { inputs: findings.inputs, error, pattern, results };
}

async function measure(isQuick: boolean): Promise<Figures> {
  const every = isQuick ? 256 : 1;
  const isWanted = (label: string) => label.includes(options.only);
  const backends = new Set<string>();
  const found: Record<string, SweepFigures> = {};
  const steps = isWanted('steps') ? await nativeSteps(every, threads, stage('steps of exp')) : undefined;
  for (const named of sweeps)
    if (isWanted(named.label))
      found[named.label] = await runSweep(named.label, sweepOf(named, every), backends);
  const halves = isWanted('16 bits')
    ? await halfFigures(isQuick ? 64 : 1, threads, problems, stage('16 bits'))
    : undefined;
  stop();
  return { backends: [...backends, 'js'], sweeps: found, steps, halves };
}

function report({ sweeps: found, steps, halves }: Figures): void {
  for (const [label, { inputs, error, pattern }] of Object.entries(found))
    console.log(`exhaustive: ${label}: ${inputs} inputs, worst ${error} ULP at ${hex(pattern)}`);
  if (steps) console.log(`exhaustive: steps: ${JSON.stringify(steps)}`);
  if (halves) console.log(`exhaustive: 16 bits: ${halves.compared} results compared with exact ones`);
}

/** What did not run keeps its figures. */
function merged(published: Figures, { backends, sweeps: found, steps, halves }: Figures): Figures {
  return {
    backends: backends.length > 1 ? backends : published.backends,
    sweeps: { ...published.sweeps, ...found },
    steps: steps ?? published.steps,
    halves: halves ?? published.halves,
  };
}

const readPublished = (): Published => JSON.parse(readFileSync(numbers, 'utf8'));
const kinds: readonly ('quick' | 'full')[] = options.quick
  ? ['quick']
  : options.write
    ? ['quick', 'full']
    : ['full'];
const measured: Partial<Record<'quick' | 'full', Figures>> = {};
for (const kind of kinds) {
  const figures = await measure(kind === 'quick');
  measured[kind] = figures;
  report(figures);
  problems.push(...brokenPromises(figures));
  if (!options.write) problems.push(...differencesFrom(readPublished()[kind], figures));
}
if (options.write) {
  const published = readPublished();
  const now = kinds.map((kind) => [kind, merged(published[kind], measured[kind] as Figures)]);
  writeFileSync(numbers, `${JSON.stringify({ ...published, ...Object.fromEntries(now) }, undefined, 2)}\n`);
  writePage();
}
for (const problem of problems) console.error(`exhaustive: ${problem}`);
console.log(`exhaustive: ${problems.length === 0 ? 'as promised' : 'NOT as promised'}`);
process.exitCode = problems.length === 0 ? 0 : 1;
