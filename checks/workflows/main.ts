// Workflows that GitHub runs with our rights: they parse, run pinned actions with few permissions, and name scripts and
// checks that exist.
//   npm run check workflows [DIRECTORY]   by default .github

import { join } from 'node:path';
import { root } from '../../tools/front-door/builds.js';
import { lookAt } from './problems.js';

const { files, problems } = lookAt(process.argv[2] ?? join(root, '.github'));
for (const problem of problems) console.error(`workflows: ${problem}`);
console.log(`workflows: ${files} files, ${problems.length} problems`);
process.exitCode = files > 0 && problems.length === 0 ? 0 : 1;
