// Public calls with `out`, one thread: every native instruction set this CPU has and the JavaScript backend against
// plain loops, with a copy of the same bytes as the yardstick.
//
//   npm run bench [-- --quick] [--operation softmax,crossEntropy] [--dtype float32] [--shape 64x1000]
//                 [--json FILE] [--svg FILE]
//
// Writes the numbers and a chart of each type into bench/results.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Case,
  caseName,
  chosen,
  chosenShapes,
  type DType,
  dtypes,
  type Operation,
  operations,
  quickShapes,
  shapeName,
  shapes,
  titles,
} from './cases.js';
import { dotPlot } from './chart.js';
import { type Entrant, start } from './processes.js';
import { displayProgress, type Progress } from './progress.js';
import { type Budget, type Contestant, type Runner, race, type Times } from './race.js';
import { tolerances } from './reference.js';
import { shownRatio, shownTime, textTable } from './table.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    operation: { type: 'string', multiple: true },
    dtype: { type: 'string', multiple: true },
    shape: { type: 'string', multiple: true },
    json: { type: 'string', default: 'bench/results/bench.json' },
    svg: { type: 'string', default: 'bench/results/bench-{dtype}.svg' },
  },
});

const chosenOperations = chosen('operation', options.operation, operations) ?? operations;
const chosenDtypes = chosen('dtype', options.dtype, dtypes) ?? (options.quick ? ['float32'] : dtypes);
const allShapes = chosenShapes(options.shape) ?? (options.quick ? quickShapes : shapes);
const budget: Budget = options.quick
  ? { turns: 3, turn: 20e6, race: 0.6e9 }
  : { turns: 7, turn: 25e6, race: 2e9 };

const loop = 'plain loop';
const copy = 'memcpy';
const own = 'default';
const contestant = (name: string) => new URL(`contestants/${name}.ts`, import.meta.url);
const entrants: readonly Entrant[] = [
  { name: copy, module: contestant('copy') },
  { name: own, module: contestant('package'), argument: 'softmax-native' },
  ...['avx512', 'avx2', 'neon', 'scalar'].map((isa) => ({
    name: isa,
    module: contestant('package'),
    argument: 'softmax-native/native',
    env: { SOFTMAX_ISA: isa },
  })),
  { name: 'js', module: contestant('package'), argument: 'softmax-native/js' },
  { name: loop, module: contestant('loop') },
];

interface Result extends Case {
  readonly nanoseconds: Readonly<Record<string, Times>>;
}

async function raceOf(runners: readonly Runner[], problemCase: Case, progress: Progress): Promise<Result> {
  const contestants: Contestant[] = [];
  for (const runner of runners) {
    const entered = await runner.enter(problemCase);
    if (!entered) continue;
    const { error = 0 } = entered;
    if (error <= tolerances[problemCase.dtype]) contestants.push(entered);
    else progress.note(`${caseName(problemCase)}: ${runner.name} is wrong by ${error}: left out`);
  }
  return { ...problemCase, nanoseconds: await race(contestants, budget) };
}

/** A process has seen one type alone: compiled code that has seen others is slower. */
async function startAll(): Promise<readonly Runner[]> {
  const started = await Promise.all(entrants.map(start));
  return started.filter((runner) => typeof runner !== 'string');
}

function printTable(
  operation: Operation,
  dtype: DType,
  names: readonly string[],
  results: readonly Result[],
) {
  const rows = results.map(({ shape, nanoseconds }) => {
    const [loopTime, ownTime] = [nanoseconds[loop]?.median, nanoseconds[own]?.median];
    const gain = loopTime !== undefined && ownTime !== undefined ? loopTime / ownTime : undefined;
    return [shapeName(shape), ...names.map((name) => shownTime(nanoseconds[name]?.median)), shownRatio(gain)];
  });
  console.log(`\n${titles[operation]}, ${dtype}`);
  console.log(textTable([['shape', ...names, `${loop} : ${own}`], ...rows]));
}

function chartOf(dtype: DType, names: readonly string[], results: readonly Result[]): string {
  const panels = chosenOperations.map((operation) => ({
    title: titles[operation],
    rows: results
      .filter((result) => result.operation === operation && result.dtype === dtype)
      .map(({ shape, nanoseconds }) => {
        const speeds = names.flatMap((name) => {
          const [loopTime, time] = [nanoseconds[loop]?.median, nanoseconds[name]?.median];
          return loopTime !== undefined && time !== undefined ? [[name, loopTime / time]] : [];
        });
        return { label: shapeName(shape), values: Object.fromEntries(speeds) };
      }),
  }));
  return dotPlot({
    title: `softmax-native: how many times as fast as a plain Math.exp loop, ${dtype}`,
    subtitle: `${machine.cpu}, one thread, Node ${machine.node}; medians of calls with an output array`,
    axis: 'speed relative to the plain loop, logarithmic; further right is faster',
    series: [
      ...names.filter((name) => name !== loop).map((name) => ({ name })),
      { name: loop, isReference: true },
    ],
    panels,
  });
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`written to ${file}`);
}

const machine = {
  cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
  node: process.versions.node,
  date: new Date().toISOString(),
};
console.log(`${machine.cpu}, Node ${machine.node}; median time of a call, one thread`);
const results: Result[] = [];
const names = new Set<string>();
const progress = displayProgress(chosenOperations.length * chosenDtypes.length * allShapes.length);
for (const dtype of chosenDtypes) {
  const runners = await startAll();
  for (const { name } of runners) names.add(name);
  for (const operation of chosenOperations)
    for (const shape of allShapes) {
      progress.step(`${operation} ${dtype} ${shapeName(shape)}`);
      results.push(await raceOf(runners, { operation, dtype, shape }, progress));
    }
  for (const runner of runners) runner.close();
}
progress.stop();
for (const dtype of chosenDtypes)
  for (const operation of chosenOperations)
    printTable(
      operation,
      dtype,
      [...names],
      results.filter((result) => result.operation === operation && result.dtype === dtype),
    );
console.log('');
write(options.json, `${JSON.stringify({ machine, budget, results }, undefined, 2)}\n`);
for (const dtype of chosenDtypes)
  write(options.svg.replace('{dtype}', dtype), chartOf(dtype, [...names], results));
