// That a scoring is complete and right whatever happens to its workers, its Redis and its disk.
//   npm run check [-- --quick]

import { checkBrowser } from './browser.mjs';
import { checkErrors } from './errors.mjs';
import { checkLosses } from './losses.mjs';
import { checkResults } from './results.mjs';

const isQuick = process.argv.includes('--quick');
const parts = { results: checkResults, errors: checkErrors, losses: checkLosses, browser: checkBrowser };
const named = Object.keys(parts).filter((name) => process.argv.includes(name));
for (const name of named.length > 0 ? named : Object.keys(parts)) await parts[name]({ isQuick });
process.exit();
