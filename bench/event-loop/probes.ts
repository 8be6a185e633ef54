// What the rest of a program feels of a load in the same process: how late its event loop is, how long a file's state
// takes.

import { stat } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Felt {
  /** How much later than a millisecond a timer of a millisecond comes, as Node's monitorEventLoopDelay counts it. */
  readonly timer: Spread;
  /** From setImmediate to its callback: the rest of a turn, and what came in meanwhile. */
  readonly immediate: Spread;
  readonly stat: Spread;
}

/** Of unsorted times. */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const file = new URL(import.meta.url);

/** Times of something, about one a millisecond. */
async function probe(isOver: () => boolean, run: () => Promise<unknown>): Promise<Spread> {
  const times: number[] = [];
  while (!isOver()) {
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
    await sleep(1);
  }
  return spreadOf(times);
}

/** Feels for so many milliseconds. */
export async function feel(milliseconds: number): Promise<Felt> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const end = performance.now() + milliseconds;
  const isOver = () => performance.now() >= end;
  delay.enable();
  const [immediate, ofStat] = await Promise.all([
    probe(isOver, () => new Promise((resolve) => setImmediate(resolve))),
    probe(isOver, () => stat(file)),
  ]);
  delay.disable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1);
  const timer = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
  return { timer, immediate, stat: ofStat };
}
