// mitata, told how long a call takes: it would take 4096 calls of 60 µs for one sample.

import { measure } from 'mitata';

/** Calls that are shorter are timed many at once. */
const longCall = 50e3;
const sampleTime = 100e3;
/** mitata's unrolling. */
const unrolled = 4;

/** Nanoseconds of a call, roughly, after `warmup` nanoseconds of calls. */
export async function estimate(run: () => unknown, warmup: number): Promise<number> {
  const { p50 } = await measure(run, {
    gc: false,
    min_cpu_time: warmup,
    min_samples: 1,
    warmup_threshold: -1,
  });
  return p50;
}

/** The median over some `budget` nanoseconds of calls that take about `expected` each. */
export async function medianTime(run: () => unknown, expected: number, budget: number): Promise<number> {
  const isShort = expected < longCall;
  const batch = Math.min(4096, Math.ceil(sampleTime / expected / unrolled) * unrolled);
  const { p50 } = await measure(run, {
    gc: false,
    min_cpu_time: budget,
    min_samples: expected > budget ? 1 : 3,
    warmup_threshold: isShort ? Number.POSITIVE_INFINITY : -1,
    batch_threshold: isShort ? Number.POSITIVE_INFINITY : -1,
    batch_samples: batch,
    batch_unroll: unrolled,
  });
  return p50;
}
