// softmax-native bench: native code against JavaScript on this machine.

import type { Backend } from 'softmax-native';
import { version } from '../version.js';
import { readArguments, refuseWords } from './arguments.js';
import { type Case, cases, copyOf, type Data, dataOf, type Softmax } from './bench-cases.js';
import { chart, type Line, threeDigits } from './chart.js';
import { cpuModel } from './cpu.js';
import { type Paint, painter, print, printJson } from './output.js';
import { displayProgress, type Progress } from './progress.js';
import { type Budget, race } from './race.js';

const usual: Budget = { rounds: 9, turn: 65 };
const quick: Budget = { rounds: 3, turn: 22 };

interface Entrants {
  readonly js: Softmax;
  readonly native: (Softmax & { readonly backend: Backend; getThreads(): number }) | undefined;
  /** Why there is no native code. */
  readonly problem: string | null;
}

interface Result {
  readonly function: string;
  readonly shape: readonly [number, number];
  /** Nanoseconds of a call. */
  readonly native: number | null;
  readonly js: number;
  readonly copy: number;
  /** Whether native code and JavaScript gave the same bits. */
  readonly sameBits: boolean | null;
}

async function loadEntrants(): Promise<Entrants> {
  const js = await import('softmax-native/js');
  try {
    return { js, native: await import('softmax-native/native'), problem: null };
  } catch (error) {
    return { js, native: undefined, problem: (error as Error).message };
  }
}

function bitsOf(call: () => unknown, { out }: Data): Buffer {
  call();
  return Buffer.from(new Uint8Array(out.buffer.slice(0)));
}

function measure(problem: Case, { js, native }: Entrants, budget: Budget, progress: Progress): Result {
  const { title, rows, classes } = problem;
  const data = dataOf(problem);
  const jsCall = problem.call(js, data);
  const nativeCall = native && problem.call(native, data);
  const contestants = [copyOf(data), { name: 'JavaScript', run: jsCall }];
  if (nativeCall) contestants.push({ name: 'native', run: nativeCall });
  const label = `${title} ${rows}×${classes}`;
  const times = race(contestants, budget, () => progress.add(1, label));
  const [copy, jsTime, nativeTime] = times as [number, number, number | undefined];
  return {
    function: title,
    shape: [rows, classes],
    native: nativeTime ?? null,
    js: jsTime,
    copy,
    sameBits: nativeCall ? bitsOf(nativeCall, data).equals(bitsOf(jsCall, data)) : null,
  };
}

function linesOf({ native, js, copy }: Result): Line[] {
  const lines: Line[] = [
    { name: 'JavaScript', nanoseconds: js, style: 'yellow', note: '' },
    { name: 'memory copy', nanoseconds: copy, style: 'dim', note: '' },
  ];
  if (native === null) return lines;
  const note = js >= native ? `${threeDigits(js / native)} times as fast` : 'JavaScript is faster';
  return [{ name: 'native', nanoseconds: native, style: 'green', note }, ...lines];
}

function printResults(results: readonly Result[], paint: Paint): void {
  // Where the output is no terminal, or one that does not know its width.
  const width = process.stdout.columns || 80;
  for (const result of results) {
    const [rows, classes] = result.shape;
    print(`\n${paint('bold', `${result.function} ${rows}×${classes}`)}`);
    print(chart(linesOf(result), width, paint));
  }
}

export async function bench(words: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('bench', words, {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  refuseWords('bench', positionals);
  const entrants = await loadEntrants();
  const { native, problem } = entrants;
  const budget = values.quick ? quick : usual;
  const turns = cases.length * budget.rounds * (native ? 3 : 2);
  const progress = displayProgress(turns, '', false);
  const results: Result[] = [];
  try {
    for (const one of cases) results.push(measure(one, entrants, budget, progress));
  } finally {
    progress.stop();
  }
  const threads = native?.getThreads() ?? null;
  const isa = native?.backend.isa ?? null;
  const machine = { version, cpu: cpuModel(), node: process.versions.node, isa, threads };
  if (values.json) return printJson({ ...machine, problem, results });
  const paint = painter(process.stdout);
  const what = native
    ? `native: ${isa}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
    : 'no native code';
  print(paint('dim', `${machine.cpu}, Node ${machine.node}; ${what}; float32, medians of calls`));
  if (problem !== null) print(paint('yellow', `JavaScript alone: ${problem}`));
  printResults(results, paint);
  if (native) printSameBits(results, paint);
}

function printSameBits(results: readonly Result[], paint: Paint): void {
  const differing = results.filter(({ sameBits }) => sameBits === false);
  const names = differing.map(({ function: name, shape }) => `${name} ${shape.join('×')}`);
  if (names.length > 0) process.exitCode = 1;
  const text = 'Native code and JavaScript gave';
  if (names.length > 0) print(paint('red', `\n${text} different bits: ${names.join(', ')}`));
  else print(paint('dim', `\n${text} the same bits.`));
}
