// Contestants take turns, and the medians of their turns are compared: other processes come and go.

export interface Contestant {
  readonly name: string;
  readonly run: () => unknown;
}

export interface Budget {
  readonly rounds: number;
  /** Milliseconds. */
  readonly turn: number;
}

/** Milliseconds of one sample: long beside the clock's resolution, short beside another process's time slice. */
const sampleTime = 1;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] as number;
  return Number.isInteger(middle) ? ((sorted[middle - 1] as number) + upper) / 2 : upper;
}

/** Milliseconds of so many calls. */
function timeOf(run: () => unknown, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return performance.now() - start;
}

/** How many calls make a sample. Meanwhile the code becomes warm. */
function callsOfSample(run: () => unknown): number {
  let calls = 1;
  for (;;) {
    const time = timeOf(run, calls);
    if (time >= sampleTime / 2) return Math.max(1, Math.round((calls * sampleTime) / time));
    calls *= 2;
  }
}

/** The median of a call's milliseconds over a turn. */
function turnOf(run: () => unknown, calls: number, length: number): number {
  const samples: number[] = [];
  const end = performance.now() + length;
  do samples.push(timeOf(run, calls) / calls);
  while (performance.now() < end);
  return median(samples);
}

/** Nanoseconds of a call of each. `afterTurn`: for a progress bar. */
export function race(
  contestants: readonly Contestant[],
  { rounds, turn }: Budget,
  afterTurn: () => void,
): number[] {
  const racers = contestants.map(({ run }) => ({ run, calls: callsOfSample(run), turns: [] as number[] }));
  for (let round = 0; round < rounds; round++)
    for (const { run, calls, turns } of racers) {
      turns.push(turnOf(run, calls, turn));
      afterTurn();
    }
  return racers.map(({ turns }) => median(turns) * 1e6);
}
