// softmax-native bench: is softmax fast here? Beside a plain loop, and a copy of the same bytes.

import { version } from '../version.js';
import { readArguments, refuseWords } from './arguments.js';
import { cpuModel, kinds } from './info.js';
import { painter, print } from './terminal.js';

const shapes = [
  [1, 10],
  [1, 1000],
  [64, 1000],
  [1, 128256],
  [4096, 10],
] as const;
const rounds = 9;
/** Milliseconds of a sample: long beside the clock's resolution, short beside another process's time slice. */
const sampleTime = 20;

/** What one writes without a library. */
function plainLoop(logits: Float32Array, out: Float32Array, classes: number): void {
  for (let start = 0; start < logits.length; start += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = start; i < start + classes; i++) largest = Math.max(largest, logits[i] as number);
    let sum = 0;
    for (let i = start; i < start + classes; i++) sum += out[i] = Math.exp((logits[i] as number) - largest);
    for (let i = start; i < start + classes; i++) out[i] = (out[i] as number) / sum;
  }
}

/** Milliseconds of so many calls. */
function timeOf(run: () => unknown, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return performance.now() - start;
}

/** How many calls make a sample. Meanwhile the code becomes warm. */
function callsOfSample(run: () => unknown): number {
  for (let calls = 1; ; calls *= 2) {
    const time = timeOf(run, calls);
    if (time >= sampleTime / 2) return Math.max(1, Math.round((calls * sampleTime) / time));
  }
}

/** The median nanoseconds of a call of each. They take turns: other processes come and go. */
function race(contestants: readonly (() => unknown)[]): number[] {
  const racers = contestants.map((run) => ({ run, calls: callsOfSample(run), times: [] as number[] }));
  for (let round = 0; round < rounds; round++)
    for (const { run, calls, times } of racers) times.push((timeOf(run, calls) / calls) * 1e6);
  return racers.map(({ times }) => times.sort((a, b) => a - b)[(rounds - 1) / 2] as number);
}

const threeDigits = (value: number): string =>
  value < 999.5 ? value.toPrecision(3) : String(Math.round(value));

const shownTime = (nanoseconds: number): string =>
  nanoseconds < 999.5e3 ? `${threeDigits(nanoseconds / 1e3)} µs` : `${threeDigits(nanoseconds / 1e6)} ms`;

export async function bench(words: readonly string[]): Promise<void> {
  refuseWords('bench', readArguments('bench', words, {}).positionals);
  const { backend, getThreads, softmax } = await import('softmax-native');
  const paint = painter(process.stdout);
  const code =
    backend.kind === 'native' ? `native ${backend.isa}` : `${kinds[backend.kind]} (${backend.reason})`;
  const threads = `${getThreads()} ${getThreads() === 1 ? 'thread' : 'threads'}`;
  print(
    paint(
      'dim',
      `softmax-native ${version}: ${code}, ${threads}; Node ${process.versions.node}; ${cpuModel()}`,
    ),
  );
  const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(13)).join('');
  print(paint('bold', row(['float32', 'softmax', 'plain loop', 'memory copy', 'speed-up'])));
  for (const [rows, classes] of shapes) {
    const logits = Float32Array.from({ length: rows * classes }, (_, i) => ((i * 7919) % 257) / 16 - 8);
    const out = new Float32Array(logits.length);
    const options = { shape: [rows, classes], out };
    const times = race([
      () => softmax(logits, options),
      () => plainLoop(logits, out, classes),
      () => out.set(logits),
    ]);
    const [own, loop] = times as [number, number, number];
    print(row([`${rows}×${classes}`, ...times.map(shownTime), `${threeDigits(loop / own)}×`]));
  }
}
