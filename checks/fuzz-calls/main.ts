// Random calls through Node: native code and WebAssembly against JavaScript, whose results, errors, writes and reads must be the same.
//   npm run check fuzz-calls -- [--calls N] [--seed S] [--isa avx512,scalar,relaxed-simd,simd128] [--quick] [--node PATH] [--replay PLAN]
// A process for each instruction set, so that a crash is a line here; its last plan is printed, for --replay.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon } from '../../src/backends/native/loader.js';
import { functionNames } from '../../test/helpers/random-calls/functions.js';
import { listOf, merge, newTally, type Tally } from '../../test/helpers/random-calls/tally.js';

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string' },
    seed: { type: 'string' },
    isa: { type: 'string' },
    quick: { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    replay: { type: 'string' },
  },
});

/** The modules of WebAssembly that the Node has, the one that serves it best first. */
function wasmIsas(): string[] {
  const script = "import('softmax-native').then(({ backend }) => process.stdout.write(backend.isa))";
  const env = { ...process.env, SOFTMAX_BACKEND: 'wasm', SOFTMAX_ISA: '' };
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout, stderr } = spawnSync(options.node, ['-e', script], { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout === 'simd128' ? [stdout] : [stdout, 'simd128'];
}

const { supported: nativeIsas } = loadAddon();
const supported = [...nativeIsas, ...wasmIsas()];
const isas = options.isa?.split(',') ?? supported;
const calls = Number(options.calls ?? (options.quick ? 40_000 : 1_000_000));
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 20));
for (const isa of isas)
  if (!supported.includes(isa)) throw new Error(`this CPU, Node or build has no ${isa}`);
if (!Number.isSafeInteger(calls) || !Number.isSafeInteger(seed))
  throw new Error('--calls and --seed take integers');

/** Without a word for so long, a process hangs. */
const patience = 120_000;

interface Report {
  readonly tally?: Tally;
  readonly problem?: string;
  readonly plan?: string;
  readonly plans?: number;
  readonly calls?: number;
}
interface End extends Report {
  /** A process that did not come to its end. */
  readonly crash?: string;
}

function environmentOf(isa: string): NodeJS.ProcessEnv {
  // The best one is not forced: only so the tiniest calls go to JavaScript (src/backends/tiny.ts).
  const forced = isa === supported[0] ? '' : isa;
  return {
    ...process.env,
    SOFTMAX_BACKEND: isa.includes('simd') ? 'wasm' : '',
    SOFTMAX_ISA: forced,
    SOFTMAX_THREADS: process.env.SOFTMAX_THREADS || '4',
  };
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** A process with some of the calls. */
async function runChild(isa: string, given: readonly string[], last: string): Promise<End> {
  const flags = ['--max-semi-space-size=32', '--import', 'tsx', child, '--last', last, ...given];
  const running = spawn(options.node, flags, {
    env: environmentOf(isa),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let report: Report = {};
  let isHanging = false;
  const giveUp = () => {
    isHanging = true;
    running.kill('SIGKILL');
  };
  let timer = setTimeout(giveUp, patience);
  const ended = new Promise<string | number | null>((resolve, reject) => {
    running.once('close', (code, signal) => resolve(signal ?? code));
    running.once('error', reject);
  });
  for await (const line of createInterface({ input: running.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(giveUp, patience);
    report = JSON.parse(line);
    progress(`${isa}: ${(report.calls ?? 0).toLocaleString('en')} calls`);
  }
  const how = await ended;
  clearTimeout(timer);
  progress('');
  if (report.tally !== undefined || report.problem !== undefined) return report;
  return { ...report, crash: isHanging ? `hangs for ${patience / 1000} s` : `ended by ${how}` };
}

function table(tallies: ReadonlyMap<string, Tally>): string[] {
  const cell = (count: number) => count.toLocaleString('en').padStart(12);
  const rows = functionNames.map((name) => {
    const counts = [...tallies.values()].map(({ functions }) => functions[name] ?? 0);
    return name.padEnd(20) + [...counts, counts.reduce((a, b) => a + b, 0)].map(cell).join('');
  });
  const sums = [...tallies.values()].map((tally) => tally.calls);
  const heads = [...tallies.keys(), 'all'].map((name) => name.padStart(12));
  return [
    'calls'.padEnd(20) + heads.join(''),
    ...rows,
    'all'.padEnd(20) + [...sums, sums.reduce((a, b) => a + b, 0)].map(cell).join(''),
  ];
}

function reportTallies(tallies: ReadonlyMap<string, Tally>): void {
  const all = newTally();
  for (const tally of tallies.values()) merge(all, tally);
  console.log(table(tallies).join('\n'));
  console.log(`plans, each called on every backend: ${all.plans.toLocaleString('en')}`);
  for (const key of ['ends', 'ways', 'kinds', 'memories', 'faults', 'traps'] as const)
    console.log(`${key}: ${listOf(all[key])}`);
}

const directory = mkdtempSync(join(tmpdir(), 'softmax-calls-'));
const begin = performance.now();
const tallies = new Map<string, Tally>();
const problems: string[] = [];
let crashes = 0;
for (const [index, isa] of isas.entries()) {
  const last = join(directory, isa);
  const share = Math.ceil(calls / isas.length);
  const given = ['--calls', String(share), '--seed', String(seed + index)];
  const end = await runChild(isa, options.replay === undefined ? given : ['--replay', options.replay], last);
  if (end.tally) tallies.set(isa, end.tally);
  if (end.crash !== undefined) crashes++;
  const problem = end.crash ?? end.problem;
  if (problem === undefined || problem === 'none') continue;
  const plan = end.crash === undefined ? end.plan : readFileSync(last, 'utf8').split('\n')[0];
  problems.push(
    `${isa}, after ${end.plans ?? 0} plans: ${problem}\n  npm run check fuzz-calls -- --isa ${isa} --replay '${plan}'`,
  );
}
rmSync(directory, { recursive: true });

if (tallies.size > 0) reportTallies(tallies);
for (const problem of problems) console.error(`fuzz-calls: ${problem}`);
const seconds = ((performance.now() - begin) / 1000).toFixed(0);
console.log(
  `fuzz-calls: seed ${seed}, ${isas.join(', ')}, ${seconds} s, crashes ${crashes}: ${problems.length === 0 ? 'all the same' : 'NOT the same'}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
