// One backend's part of same-shards: prints a hash of the states of all problems, or the first problem whose shards have
// other bits than whole rows.
//   node --import tsx child.ts PROBLEMS SEED

import { createHash } from 'node:crypto';
import * as api from 'softmax-native';
import { differenceOf, problemOf, statesOf } from '../../test/helpers/shards.js';

const [problems, seed] = process.argv.slice(2).map(Number) as [number, number];
const hash = createHash('sha256');
let difference: string | undefined;
for (let i = 0; i < problems && difference === undefined; i++) {
  const problem = problemOf(seed * 1_000_003 + i);
  for (const state of statesOf(api, problem)) hash.update(new Uint8Array(state.buffer));
  const what = differenceOf(api, problem);
  if (what !== undefined) difference = `${what}, ${problem.label}`;
}
console.log(difference ?? hash.digest('hex').slice(0, 16));
