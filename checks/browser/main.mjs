// The built package in a real browser: the pinned bits on both WebAssembly modules and in JavaScript, on a page's main thread
// and in a worker, without cross-origin isolation; what a Content-Security-Policy changes; and how fast it is there.
//   npm run check browser [-- --browser PROGRAM]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { open } from './browser.mjs';
import { serve } from './server.mjs';
import { problemsOf, tableOf } from './verdict.mjs';

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

/** For one page. */
const patience = 60_000;

const addressOf = ({ run, entry, lacks, policy = '' }) => {
  const query = new URLSearchParams({ case: JSON.stringify({ run, entry, lacks }), policy });
  return `/page?${query}`;
};

let passed = 0;
let failed = 0;
let at = 0;
let timer;
let finish;
const finished = new Promise((resolve) => {
  finish = resolve;
});
const wait = () => {
  clearTimeout(timer);
  timer = setTimeout(() => finish(`${nameOf(cases[at])}: no report within ${patience / 1000} s`), patience);
};

/** Notes a page's result; the address of the next one. */
function report({ found, error }) {
  const { run, expected } = cases[at];
  const name = nameOf(cases[at]);
  if (run === 'race' && found) console.log(tableOf(found));
  else {
    const problems = error === undefined ? problemsOf(found, expected, pinned) : [error];
    if (problems.length === 0) passed++;
    else failed++;
    const what =
      found && `${found.isa ?? found.kind}, ${Object.keys(found.hashes).length} hashes, ${found.twins} twins`;
    console.log(
      problems.length === 0 ? `ok      ${name}: ${what}` : `FAILED  ${name}: ${problems.join('\n        ')}`,
    );
  }
  at++;
  if (at < cases.length) {
    wait();
    return addressOf(cases[at]);
  }
  finish();
  return undefined;
}

const server = await serve(report);
wait();
const browser = open(values.browser, `http://127.0.0.1:${server.address().port}${addressOf(cases[0])}`);
const problem = await Promise.race([finished, browser.ended]);
clearTimeout(timer);
await browser.close();
server.close();
server.closeAllConnections();
if (problem !== undefined) {
  failed++;
  console.log(`FAILED  ${problem}`);
}
console.log(`browser: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed === cases.length - 1 ? 0 : 1;
