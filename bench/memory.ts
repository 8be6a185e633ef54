// What the memory of a new result costs: calls with `out` (crossEntropy: `grad`) beside the same calls without it, and
// memory of that size alone, of the kind that results lie in and of a new Float32Array's, which is filled with zeros.
//
//   npm run bench memory
//
// Each number is the median of turns of 10⁴ calls, or 10³ long ones, by the time of all of them: garbage collection
// counts. Each shape has a process of its own, as what is freed of one size may serve for another or not. Page faults are
// those of a softmax without `out`: the system's allocator gives memory back that the next results need again.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { backend, crossEntropy, softmax } from 'softmax-native';
import { newFloats } from '../src/problem/dtypes.js';
import { machine } from './machine.js';
import { shownNumber, shownRatio, shownTime, textTable } from './table.js';

const shapes = ['1x1', '1x10', '1x1000', '64x1000', '1x128256'];
const turns = 7;

interface Turn {
  readonly time: number;
  readonly faults: number;
}

function turnOf(call: () => unknown, calls: number): Turn {
  const before = process.resourceUsage().minorPageFault;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) call();
  const time = Number(process.hrtime.bigint() - begin) / calls;
  return { time, faults: (process.resourceUsage().minorPageFault - before) / calls };
}

/** Medians of calls that take turns, after a turn to warm up. */
function race(calls: readonly (() => unknown)[], callsOfATurn: number): Turn[] {
  const found: Turn[][] = calls.map(() => []);
  for (let turn = -1; turn < turns; turn++)
    calls.forEach((call, i) => {
      const one = turnOf(call, callsOfATurn);
      if (turn >= 0) found[i]?.push(one);
    });
  return found.map((list) => list.sort((a, b) => a.time - b.time)[turns >> 1] as Turn);
}

function measure(rows: number, length: number): Turn[] {
  const elements = rows * length;
  const x = Float32Array.from({ length: elements }, () => (Math.random() - 0.5) * 12);
  const classes = Int32Array.from({ length: rows }, (_, row) => row % length);
  const out = new Float32Array(elements);
  const shape = [rows, length];
  const calls = [
    () => softmax(x, { shape, out }),
    () => softmax(x, { shape }),
    () => crossEntropy(x, classes, { shape, grad: out }),
    () => crossEntropy(x, classes, { shape, grad: true }),
    () => newFloats(elements),
    () => new Float32Array(elements),
  ];
  return race(calls, elements < 10_000 ? 10_000 : 1000);
}

const [given] = process.argv.slice(2);
if (given === undefined) {
  const header = ['softmax with out', 'without', '', 'crossEntropy', 'grad: true', '', 'memory', 'zeroed'];
  const lines = shapes.map((shape) => {
    const file = fileURLToPath(import.meta.url);
    const { stdout } = spawnSync(process.execPath, [...process.execArgv, file, shape], { encoding: 'utf8' });
    const [out, none, grad, newGrad, memory, zeroed] = JSON.parse(stdout) as [
      Turn,
      Turn,
      Turn,
      Turn,
      Turn,
      Turn,
    ];
    const pair = (one: Turn, other: Turn) => [one.time, other.time].map(shownTime);
    return [
      shape,
      ...pair(out, none),
      shownRatio(none.time / out.time),
      ...pair(grad, newGrad),
      shownRatio(newGrad.time / grad.time),
      ...pair(memory, zeroed),
      shownNumber(none.faults),
    ];
  });
  console.log(`${machine.cpu}, Node ${machine.node}, ${backend.isa ?? 'JavaScript'}; time of a call, median`);
  console.log(textTable([['', ...header, 'page faults'], ...lines]));
} else {
  const [rows, length] = given.split('x').map(Number) as [number, number];
  console.log(JSON.stringify(measure(rows, length)));
}
