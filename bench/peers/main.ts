// This library against others, on one thread and on all, contestants taking turns. Works on the built package.
//
//   npm run bench peers                     everything; writes docs/performance.md, its chart and the numbers behind it
//   npm run bench peers -- --quick          everything with less patience, for a look; writes into bench/results
//   npm run bench peers -- --render         the page again from the numbers, as after a change of the template
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
  shapes,
} from '../cases.js';
import { machine } from '../machine.js';
import type { Budget } from '../race.js';
import { tablesOf } from '../report.js';
import { run, shownErrors } from '../run.js';
import { entrants, memcpy, own, pytorchRunners } from './contestants.js';
import { installPeers } from './install.js';
import { chart, type Measured, render } from './page.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
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

/** Where native code, JavaScript and a plain loop change places. */
const shortRows = options.quick ? [] : ['1×2', '1×8', '1×16', '1×64'].map(parseShape);

/** All shapes in float32, and more short rows of softmax; three shapes in other types. */
function allCases(): readonly Case[] {
  const cases = dtypes.flatMap((dtype) =>
    operations.flatMap((operation) => {
      const more = operation === 'softmax' ? shortRows : [];
      const chosenOnes = dtype === 'float32' ? [...mainShapes, ...more] : otherTypes;
      return chosenOnes.map((shape) => ({ operation, dtype, shape }));
    }),
  );
  const size = ({ shape: { dims } }: Case) => dims[0] * 1e9 + dims[1];
  return cases.sort((a, b) => size(a) - size(b));
}

function chosenCases(): readonly Case[] {
  if (!isPart) return allCases();
  return (chosen('dtype', options.dtype, dtypes) ?? ['float32' as const]).flatMap((dtype) =>
    (chosen('operation', options.operation, operations) ?? operations).flatMap((operation) =>
      (chosenShapes(options.shape) ?? shapes).map((shape) => ({ operation, dtype, shape })),
    ),
  );
}

const here = new URL('.', import.meta.url);
const results = new URL('../results/', here);

/** A case a line. */
function jsonOf({ results: cases, ...rest }: Measured): string {
  const lines = cases.map((result) => JSON.stringify(result)).join(',\n');
  return `${JSON.stringify(rest, undefined, 2).slice(0, -2)},\n  "results": [\n${lines}\n  ]\n}\n`;
}

function write(url: URL, content: string): void {
  mkdirSync(new URL('.', url), { recursive: true });
  writeFileSync(url, content);
  console.log(`written to ${fileURLToPath(url)}`);
}

function writePage(measured: Measured, folder: URL): void {
  const template = readFileSync(new URL('performance.template.md', here), 'utf8');
  write(new URL('performance.md', folder), render(template, measured));
  write(new URL('performance.svg', folder), chart(measured));
}

async function measure(): Promise<Measured> {
  installPeers();
  const others = await pytorchRunners();
  if (others.length === 0) console.error('PyTorch is not installed: its columns are left out');
  const found = await run({
    cases: chosenCases(),
    budget,
    entrants,
    others,
    isOptional: () => false,
  });
  for (const other of others) other.close();
  return { machine, budget, ...found };
}

function print({ results: cases, versions }: Measured): void {
  console.log(`${machine.cpu}, ${machine.threads} threads, Node ${machine.node}; medians`);
  for (const dtype of dtypes) {
    const tables = tablesOf(cases, dtype, Object.keys(versions), own, memcpy);
    if (tables) console.log(`\n${tables}`);
  }
  console.log(`\nLargest relative errors:\n${shownErrors(cases).join('\n')}\n`);
}

const numbers = new URL('measured.json', here);
const pages = new URL('../../docs/', here);
if (options.render) writePage(JSON.parse(readFileSync(numbers, 'utf8')), pages);
else {
  const measured = await measure();
  print(measured);
  write(isPart || options.quick ? new URL('peers.json', results) : numbers, jsonOf(measured));
  if (!isPart) writePage(measured, options.quick ? results : pages);
}
