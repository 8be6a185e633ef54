// What `npm publish` would send, used as its users do: packs the repository, installs the tarball into fresh folders by
// each package manager, compiles against its types, bundles it, builds apps of Next.js and tests by jest with it, runs it
// with Node's flags and versions, and breaks its binary in every way. Each line is a check; the exit code is 1 when one fails.
//   npm run check package -- [--quick] [--only managers,types,bundlers,web,next,jest,nodes,broken,contents] [--keep]
// --quick: with the addon that this machine's compiler built, and fewer versions and tools. Installs its tools into
// checks/package.
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { broken } from './broken.mjs';
import { bundlers } from './bundlers.mjs';
import { finish } from './checks.mjs';
import { contents } from './contents.mjs';
import { jest } from './jest.mjs';
import { managers } from './managers.mjs';
import { next } from './next.mjs';
import { nodes } from './nodes.mjs';
import { installTools, pack, scratch } from './stage.mjs';
import { types } from './types.mjs';
import { web } from './web.mjs';

const sections = { contents, managers, types, bundlers, web, next, jest, nodes, broken };
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(sections).join() },
    keep: { type: 'boolean', default: false },
  },
});

installTools();
const stage = pack(values.quick);
for (const name of values.only.split(',')) {
  if (sections[name] === undefined)
    throw new Error(`--only ${name}: there is ${Object.keys(sections).join()}`);
  console.log(`--- ${name}`);
  await sections[name](stage, values.quick);
}
if (values.keep) console.log(`kept: ${scratch}`);
else rmSync(scratch, { recursive: true, force: true });
finish();
