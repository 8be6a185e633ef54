// Measures errors in ULP and writes docs/numerics.md and the numbers behind it. Works on the built package.
//
//   npm run check accuracy                the library alone: are the numbers of the page still its numbers?
//   npm run check accuracy -- --write     the library and every other one that is installed; some three minutes
//
// Others: PyTorch (Debian: python3-torch), ONNX Runtime and transformers.js (examples/interop: npm run setup).

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Contestant, DTypeName } from './contestants.js';
import { library } from './library.js';
import { measure, type Statistic, type Statistics } from './measure.js';
import { onnxRuntime } from './onnxruntime.js';
import { isPage, readMeasured, writePage } from './page.js';
import { pytorch } from './pytorch.js';
import { brokenPromises, type Measured } from './report.js';
import { transformers } from './transformers.js';

const dtypes: readonly DTypeName[] = ['float32', 'float64', 'float16', 'bfloat16'];

const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function measureAll(): Promise<Measured> {
  const others: Record<string, Contestant | undefined> = {
    PyTorch: await pytorch(),
    'ONNX Runtime': onnxRuntime(),
    'transformers.js': transformers(),
  };
  const missing = Object.keys(others).filter((name) => !others[name]);
  for (const name of missing) console.warn(`accuracy: ${name} is not installed: its column is left out`);
  const contestants = [library, ...Object.values(others).filter((other) => other !== undefined)];
  const statistics = await measure(contestants, dtypes, progress);
  for (const contestant of contestants) contestant.close();
  return {
    machine: `${cpus()[0]?.model.trim()}, ${process.arch}, Node ${process.versions.node}`,
    contestants: contestants.map(({ name, version }) => ({ name, version })),
    missing,
    statistics,
  };
}

/** The same numbers, whatever the backend; up to the rounding of the references and sums. */
function isSame(now: Statistic | undefined, then: Statistic | undefined): boolean {
  if (!now || !then || now.count !== then.count) return false;
  const isClose = (a: number, b: number) => a === b || Math.abs(a - b) <= 1e-9 * b;
  return isClose(now.worst, then.worst) && isClose(now.sum, then.sum);
}

async function check(measured: Measured): Promise<string[]> {
  const now: Statistics = await measure([library], dtypes, progress);
  const problems = Object.entries(now).flatMap(([key, { [library.name]: found }]) => {
    const then = measured.statistics[key]?.[library.name];
    if (isSame(found, then)) return [];
    return [`${key}: worst ${found?.worst} (${found?.where}), measured before ${then?.worst}`];
  });
  if (!isPage(measured))
    problems.push('docs/numerics.md is not what the template and the two measured.json make');
  if (problems.length > 0) problems.push('npm run check accuracy -- --write measures anew');
  return [...problems, ...brokenPromises(now, library.name)];
}

let problems: string[];
if (options.write) {
  const measured = await measureAll();
  writePage(measured);
  problems = brokenPromises(measured.statistics, library.name);
} else {
  problems = await check(readMeasured());
}
progress('');
for (const problem of problems) console.error(`accuracy: ${problem}`);
console.log(`accuracy: ${library.version}: ${problems.length === 0 ? 'as promised' : 'NOT as promised'}`);
process.exitCode = problems.length === 0 ? 0 : 1;
