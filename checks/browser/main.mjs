// The built package in a real browser: the pinned bits on both WebAssembly modules and in JavaScript, on a page's main thread
// and in a worker, without cross-origin isolation; what a Content-Security-Policy changes; and how fast it is there.
//   npm run check browser [-- --browser PROGRAM]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { answer } from './files.mjs';
import { problemsOf, tableOf } from './verdict.mjs';
import { visit } from './visit.mjs';

const { values } = parseArgs({ options: { browser: { type: 'string', default: 'chromium' } } });
const pinned = JSON.parse(
  readFileSync(new URL('../../test/helpers/corpus-hashes.json', import.meta.url), 'utf8'),
);

const relaxed = { kind: 'wasm', isa: 'relaxed-simd', reason: 'imported from softmax-native/wasm' };
const simd = { ...relaxed, isa: 'simd128' };
const js = { kind: 'js', isa: null, reason: 'imported from softmax-native/js' };
const forbidden = {
  ...{ kind: 'js', isa: null },
  reason: "WebAssembly can't be used: the page's Content-Security-Policy has no 'wasm-unsafe-eval' (",
};
const policy = (...sources) => `script-src ${["'self'", ...sources].join(' ')}`;
const allowed = policy("'wasm-unsafe-eval'");

/** What runs where, under which Content-Security-Policy, and what has to serve. `lacks`: what its engine does not have. */
const cases = [
  { run: 'page', entry: 'wasm', expected: relaxed },
  { run: 'page', entry: 'wasm', policy: policy(), expected: forbidden },
  { run: 'page', entry: 'wasm', policy: allowed, lacks: 'relaxed SIMD', expected: simd },
  { run: 'worker', entry: 'wasm', policy: allowed, expected: relaxed },
  { run: 'worker', entry: 'js', expected: js },
  { run: 'race' },
];
const nameOf = ({ run, entry, policy, lacks }) =>
  [`${run}${entry ? `, softmax-native/${entry}` : ''}`, policy, lacks && `an engine without ${lacks}`]
    .filter(Boolean)
    .join('; ');

const addressOf = ({ run, entry, lacks, policy = '' }) => {
  const query = new URLSearchParams({ case: JSON.stringify({ run, entry, lacks }), policy });
  return `/page?${query}`;
};

let passed = 0;
let failed = 0;

/** Notes what a page found. */
function report(index, { found, error }) {
  const { run, expected } = cases[index];
  const name = nameOf(cases[index]);
  if (run === 'race' && found) {
    console.log(tableOf(found));
    return;
  }
  const problems = error === undefined ? problemsOf(found, expected, pinned) : [error];
  if (problems.length > 0) {
    failed++;
    console.log(`FAILED  ${name}: ${problems.join('\n        ')}`);
    return;
  }
  passed++;
  const { kind, isa, hashes, twins } = found;
  console.log(`ok      ${name}: ${isa ?? kind}, ${Object.keys(hashes).length} hashes, ${twins} twins`);
}

const problem = await visit(values.browser, cases.map(addressOf), answer, report);
if (problem !== undefined) {
  failed++;
  console.log(`FAILED  ${problem}`);
}
console.log(`browser: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
