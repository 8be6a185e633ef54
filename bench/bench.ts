// Public calls with `out`, one thread: every native instruction set this CPU has and the JavaScript backend against
// plain loops, with a copy of the same bytes as the yardstick.
//
//   npm run bench calls [-- --quick] [--operation softmax,crossEntropy] [--dtype float32] [--shape 64x1000]
//                 [--json FILE] [--svg FILE]
//
// Writes the numbers and a chart of each type into bench/results.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { chosen, chosenShapes, dtypes, operations, quickShapes, shapes } from './cases.js';
import { copy, entry, loop, native } from './contestants/entrants.js';
import { machine } from './machine.js';
import type { Budget } from './race.js';
import { speedChart, tablesOf } from './report.js';
import { run, shownErrors } from './run.js';

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
const chosenDtypes =
  chosen('dtype', options.dtype, dtypes) ?? (options.quick ? ['float32' as const] : dtypes);
const allShapes = chosenShapes(options.shape) ?? (options.quick ? quickShapes : shapes);
const budget: Budget = options.quick
  ? { turns: 3, turn: 20e6, race: 0.6e9 }
  : { turns: 7, turn: 20e6, race: 1.5e9 };
const isas = Object.keys(
  JSON.parse(readFileSync(new URL('../native/variants.json', import.meta.url), 'utf8')).variants,
);

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`written to ${file}`);
}

const { results, versions } = await run({
  cases: chosenDtypes.flatMap((dtype) =>
    chosenOperations.flatMap((operation) => allShapes.map((shape) => ({ operation, dtype, shape }))),
  ),
  budget,
  entrants: [
    copy,
    entry('default', 'softmax-native'),
    ...isas.map((isa) => native(isa, isa)),
    entry('js', 'softmax-native/js'),
    loop,
  ],
  // This CPU does not have them all.
  isOptional: (name) => isas.includes(name),
});
const names = Object.keys(versions);
/** The default is the best of the instruction sets. */
const charted = names.filter((name) => isas.includes(name) || name === 'js');
const subtitle = `${machine.cpu}, Node ${machine.node}; one thread, medians of calls that write into a given array`;
console.log(subtitle);
for (const dtype of chosenDtypes) console.log(`\n${tablesOf(results, dtype, names, 'default', loop.name)}`);
console.log(`\nLargest relative errors:\n${shownErrors(results).join('\n')}\n`);
write(options.json, `${JSON.stringify({ machine, versions, budget, results }, undefined, 2)}\n`);
for (const dtype of chosenDtypes)
  write(options.svg.replace('{dtype}', dtype), speedChart(results, dtype, charted, loop.name, subtitle));
