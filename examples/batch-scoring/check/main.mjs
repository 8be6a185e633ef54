// That a scoring is complete and right whatever happens to its workers, its Redis and its disk.
//   npm run check [-- --quick]

import { checkBrowser } from './browser.mjs';
import { checkErrors } from './errors.mjs';
import { checkLosses } from './losses.mjs';
import { checkResults } from './results.mjs';
import { all } from './tools.mjs';

const isQuick = process.argv.includes('--quick');
const parts = { results: checkResults, errors: checkErrors, browser: checkBrowser, losses: checkLosses };
const longest = isQuick ? 5 : 30;
setTimeout(() => {
  console.error(`batch-scoring: it hangs: not over after ${longest} minutes`);
  process.exit(1);
}, 60_000 * longest);
const named = Object.keys(parts).filter((name) => process.argv.includes(name));
const wanted = named.length > 0 ? named : Object.keys(parts);
const check = (name) => parts[name]({ isQuick });
// Much of these is waiting.
await all(wanted.filter((name) => name !== 'losses').map(check));
if (wanted.includes('losses')) await check('losses');
process.exit();
