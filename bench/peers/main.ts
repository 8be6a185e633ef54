// This library against others, on one thread and on all, contestants taking turns. Works on the built package.
//
//   npm run bench:peers                     everything; writes docs/performance.md, its chart and the numbers behind it
//   npm run bench:peers -- --targets        the table of targets alone, in three minutes
//   npm run bench:peers -- --quick          everything with less patience, for a look; writes into bench/results
//     --operation softmax --dtype float32 --shape 64x1000      a part of it; prints tables
//
// PyTorch takes part where Python has it (Debian: python3-torch).

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type Case,
  chosen,
  chosenShapes,
  dtypes,
  operations,
  parseShape,
  quickShapes,
  shapeName,
  shapes,
} from '../cases.js';
import { machine } from '../machine.js';
import type { Budget } from '../race.js';
import { tablesOf } from '../report.js';
import { run, shownErrors } from '../run.js';
import { textTable } from '../table.js';
import { allEntrants, memcpy, own, pytorchRunners, targetEntrants } from './contestants.js';
import { installPeers } from './install.js';
import { chart, type Measured, render } from './page.js';
import { targetCases, verdictRows, verdictsOf } from './targets.js';

const { values: options } = parseArgs({
  options: {
    targets: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    operation: { type: 'string', multiple: true },
    dtype: { type: 'string', multiple: true },
    shape: { type: 'string', multiple: true },
  },
});
const isPart = Boolean(options.operation ?? options.dtype ?? options.shape);
const budget: Budget = options.quick
  ? { turns: 3, turn: 10e6, race: 0.6e9 }
  : { turns: 7, turn: 25e6, race: 3e9 };

const otherTypes = ['64×1000', '1536×128', '1024×1024'].map(parseShape);
const mainShapes = options.quick ? quickShapes : shapes;

/** All shapes in float32 and those of the targets; three shapes in other types. */
function allCases(): readonly Case[] {
  const cases = new Map<string, Case>();
  const add = (problemCase: Case) => {
    const { operation, dtype, shape } = problemCase;
    cases.set(`${dtype} ${operation} ${shapeName(shape)}`, problemCase);
  };
  for (const dtype of dtypes)
    for (const operation of operations) {
      for (const shape of dtype === 'float32' ? mainShapes : otherTypes) add({ operation, dtype, shape });
      targetCases.filter((target) => target.dtype === dtype && target.operation === operation).forEach(add);
    }
  const size = ({ shape: { dims } }: Case) => dims[0] * 1e9 + dims[1];
  return [...cases.values()].sort((a, b) => size(a) - size(b));
}

function chosenCases(): readonly Case[] {
  if (options.targets) return targetCases;
  if (!isPart) return allCases();
  return (chosen('dtype', options.dtype, dtypes) ?? ['float32' as const]).flatMap((dtype) =>
    (chosen('operation', options.operation, operations) ?? operations).flatMap((operation) =>
      (chosenShapes(options.shape) ?? shapes).map((shape) => ({ operation, dtype, shape })),
    ),
  );
}

function printTargets({ results }: Measured): void {
  const verdicts = verdictsOf(results);
  console.log(textTable(verdictRows(verdicts)));
  const met = verdicts.filter(({ verdict }) => verdict === 'met').length;
  console.log(`\n${met} of ${verdicts.length} targets are met`);
}

function writePage(measured: Measured): void {
  const here = new URL('.', import.meta.url);
  const results = new URL('../results/', here);
  mkdirSync(results, { recursive: true });
  const [numbers, pages] = options.quick ? [results, results] : [here, new URL('../../docs/', here)];
  const template = readFileSync(new URL('performance.template.md', here), 'utf8');
  // A case a line.
  const { results: cases, ...rest } = measured;
  const lines = cases.map((result) => JSON.stringify(result)).join(',\n');
  const json = `${JSON.stringify(rest, undefined, 2).slice(0, -2)},\n  "results": [\n${lines}\n  ]\n}\n`;
  for (const [url, content] of [
    [new URL('measured.json', numbers), json],
    [new URL('performance.md', pages), render(template, measured)],
    [new URL('performance.svg', pages), chart(measured)],
  ] as const) {
    writeFileSync(url, content);
    console.log(`written to ${fileURLToPath(url)}`);
  }
}

installPeers();
const others = await pytorchRunners(options.targets);
if (others.length === 0) console.error('PyTorch is not installed: its columns are left out');
const found = await run({
  cases: chosenCases(),
  budget,
  entrants: options.targets ? targetEntrants : allEntrants,
  others,
  isOptional: () => false,
});
for (const other of others) other.close();
const measured: Measured = { machine, ...found };
console.log(`${machine.cpu}, ${machine.threads} threads, Node ${machine.node}; medians`);
for (const dtype of dtypes) {
  const tables = tablesOf(measured.results, dtype, Object.keys(measured.versions), own, memcpy);
  if (tables) console.log(`\n${tables}`);
}
console.log(`\nLargest relative errors:\n${shownErrors(measured.results).join('\n')}\n`);
if (!isPart) printTargets(measured);
if (!isPart && !options.targets) writePage(measured);
