// What a call takes of the JavaScript heap where its results have places (`out`): bytes that the collector must clear again,
// over a million calls with small rows. The heap has room for all of a round, so that nothing is collected in between.
//   node --expose-gc --max-semi-space-size=512 --min-semi-space-size=512 checks/state/allocations.mjs [--count N]

import { parseArgs } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { argMax, backend, sample, softmax, tokenLogProbs, topK } from '../../dist/index.mjs';

const { count } = parseArgs({ options: { count: { type: 'string', default: '1000000' } } }).values;
/** Each short enough that the heap has room for it. */
const callsOfRound = 40_000;
const rounds = Math.max(3, Math.ceil(Number(count) / callsOfRound));

const row = Float32Array.from({ length: 100 }, (_, i) => 4 * Math.sin(i));
const rows = Float32Array.from({ length: 800 }, (_, i) => 4 * Math.sin(i));
const token = { tokens: new Int32Array(1) };
const filters = { temperature: 0.7, topK: 50, topP: 0.9 };
const one = { ...filters, seed: 1, out: token };
const eight = { ...filters, shape: [8, 100], out: { tokens: new Int32Array(8) } };
const seeds = Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const places = { out: { values: new Float32Array(5), indices: new Int32Array(5) } };
const likelihoods = {
  out: { logProbs: new Float32Array(1), ranks: new Int32Array(1), logSumExp: new Float32Array(1) },
};
const third = Int32Array.of(3);
const index = { out: new Int32Array(1) };
const probabilities = { out: new Float32Array(100) };

/**
 * Calls, and the bytes that each may take: what was measured, and a third or more. In native code no object is made but the
 * options' copy and the result; JavaScript takes the general way.
 */
const kinds = [
  { name: 'softmax', most: [128, 320], call: () => softmax(row, probabilities) },
  { name: 'sample', most: [560, 9000], call: () => sample(row, one) },
  { name: 'sample, another step each', most: [2200, 10500], call: (step) => sample(row, { ...one, step }) },
  {
    name: 'sample, 8 rows',
    most: [2700, 10500],
    call: (step) => sample(rows, { ...eight, seed: seeds, step }),
  },
  { name: 'topK', most: [192, 5500], call: () => topK(row, 5, places) },
  { name: 'tokenLogProbs', most: [208, 9000], call: () => tokenLogProbs(row, third, likelihoods) },
  { name: 'argMax', most: [128, 1300], call: () => argMax(row, index) },
];

const used = () => getHeapStatistics().used_heap_size;

/** The least of some rounds: engines take some for themselves. */
function bytesOf(call) {
  for (let i = 0; i < callsOfRound; i++) call(i);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    globalThis.gc();
    const before = used();
    for (let i = 0; i < callsOfRound; i++) call(i);
    least = Math.min(least, (used() - before) / callsOfRound);
  }
  return least;
}

for (const { name, most, call } of kinds) {
  const bytes = Math.round(bytesOf(call));
  console.log(`allocations: ${name}: ${bytes} bytes a call (${backend.isa ?? 'js'})`);
  const bound = most[backend.kind === 'native' ? 0 : 1];
  if (bytes <= bound) continue;
  console.error(`allocations: ${name} takes more than ${bound} bytes a call`);
  process.exitCode = 1;
}
