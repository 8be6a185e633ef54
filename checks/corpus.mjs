// Runs the same-bits corpus on a built package and compares with the pinned hashes.
//   node checks/corpus.mjs [PACKAGE_DIRECTORY] [--expect ISA|js] [--without-longest]
// Plain JavaScript with no dependency, so that the bare Node of an emulated machine can run it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { corpusHashes } from '../test/helpers/corpus.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { expect: { type: 'string' }, 'without-longest': { type: 'boolean', default: false } },
});
const root = resolve(positionals[0] ?? fileURLToPath(new URL('..', import.meta.url)));
const api = await import(pathToFileURL(`${root}/dist/index.mjs`).href);
const served = api.backend.isa ?? 'js';
const pinned = JSON.parse(
  readFileSync(new URL('../test/helpers/corpus-hashes.json', import.meta.url), 'utf8'),
);
const hashes = corpusHashes(api, !values['without-longest']);

let differences = 0;
for (const [name, hash] of Object.entries(hashes)) {
  if (hash === pinned[name]) continue;
  differences++;
  console.error(`corpus: ${name} differs on ${served}: ${hash}, pinned ${pinned[name]}`);
}
if (values.expect !== undefined && values.expect !== served) {
  differences++;
  console.error(`corpus: expected ${values.expect}, served by ${served} (${api.backend.reason})`);
}
console.log(
  `corpus: ${process.arch} ${served}, Node ${process.versions.node}: ` +
    `${Object.keys(hashes).length} hashes, ${differences} differences`,
);
process.exitCode = differences === 0 ? 0 : 1;
