// Does the suite see faults? Puts each of checks/mutants/patches into a copy of the repository (build-mutants), compiles
// what it changes, and runs the suite: the tests that a patch names first, then, should these pass, all of it. A fault
// that nothing sees is a hole in the suite. The exit code is 1 when there is one, or when a patch no longer applies.
//   npm run check mutants -- [--quick] [--only 07,12] [--named]
// --quick: some of them, in TypeScript. --named: only the tests that patches name.
import { parseArgs } from 'node:util';
import { buildNative, readVariants, supported, takeBuilt, touchesNative } from './native.mjs';
import { readPatches } from './patches.mjs';
import { runAll, runTests } from './tests.mjs';
import { applyPatch, buildDist, makeTree, root, takeBack } from './tree.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    named: { type: 'boolean', default: false },
  },
});

const seconds = (begin) => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
const usesKernelsTest = ({ tests }) => tests.some(({ project }) => project === 'kernels_test');

function chosen() {
  const patches = readPatches();
  if (values.only !== undefined) {
    const numbers = values.only.split(',');
    const unknown = numbers.find((number) => !patches.some((patch) => patch.number === number));
    if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such patch`);
    return patches.filter(({ number }) => numbers.includes(number));
  }
  return values.quick ? patches.filter(({ isQuick }) => isQuick) : patches;
}

/** Whether this machine can run the kernels that a fault is in. */
const canRun = ({ instructionSets }, available) => instructionSets.every((isa) => available.includes(isa));

const allSets = Object.keys(readVariants(root).variants);
/** Words for a test program that are no files. */
const isWord = (file) => !file.endsWith('.test.ts');

/** All tests that patches name, in as few runs as there can be: one per project and other words. */
function runsOf(patches) {
  const runs = new Map();
  for (const { project, files } of patches.flatMap(({ tests }) => tests)) {
    const key = [project, ...files.filter(isWord)].join(' ');
    runs.set(key, { project, files: new Set([...(runs.get(key)?.files ?? []), ...files]) });
  }
  return [...runs.values()].map(({ project, files }) => ({ project, files: [...files] }));
}

/** Without a fault, the tests that faults are seen by must pass. */
async function requireSoundTree(patches) {
  const begin = performance.now();
  makeTree();
  const needsNative = patches.some(touchesNative) || !takeBuilt();
  const failure =
    (needsNative ? await buildNative(undefined, patches.some(usesKernelsTest)) : undefined) ??
    (patches.some(({ needsDist }) => needsDist) ? buildDist() : undefined);
  if (failure !== undefined) throw new Error(`the copy without a fault can't be built:\n${failure}`);
  const available = supported();
  const runs = runsOf(patches);
  for (const run of runs) {
    const isMissing = allSets.includes(run.project) && !available.includes(run.project);
    const failed = isMissing ? undefined : runTests(run);
    if (failed !== undefined) throw new Error(`without a fault the suite fails (${run.project}): ${failed}`);
  }
  console.log(`without a fault: ${runs.length} runs of the tests below pass (${seconds(begin)})`);
  return available;
}

/** Whether the built package is that of the tree without a fault. */
let isDistSound = false;

async function build(patch, wantsAll) {
  if (touchesNative(patch)) {
    const failure = await buildNative(patch.instructionSets, wantsAll || usesKernelsTest(patch));
    if (failure !== undefined) return failure;
  }
  const isOfSource = patch.files.some((file) => file.startsWith('src/'));
  if (!(patch.needsDist || wantsAll) || (isDistSound && !isOfSource)) return undefined;
  isDistSound = !isOfSource;
  return buildDist();
}

/** Takes a fault out again. */
async function repair(patch) {
  takeBack(patch);
  if (touchesNative(patch)) await buildNative(undefined, usesKernelsTest(patch));
}

/** What saw the fault; undefined if nothing did. */
async function seenBy(patch) {
  const failure = applyPatch(patch) ?? (await build(patch, false));
  if (failure !== undefined) return { broken: failure };
  for (const tests of patch.tests) {
    const failed = runTests(tests);
    if (failed !== undefined) return { failed };
  }
  if (values.named) return {};
  console.log(`${patch.number} its own tests pass: now all of the suite`);
  const broken = await build(patch, true);
  return broken === undefined ? { failed: runAll() } : { broken };
}

const patches = chosen();
const begin = performance.now();
const available = await requireSoundTree(patches);
const counts = { killed: 0, survived: 0, broken: 0, skipped: 0 };
for (const patch of patches) {
  const began = performance.now();
  if (!canRun(patch, available)) {
    counts.skipped++;
    console.log(`${patch.number} skipped: this CPU has no ${patch.instructionSets}`);
    continue;
  }
  const { failed, broken } = await seenBy(patch);
  await repair(patch);
  const how = broken !== undefined ? 'broken' : failed === undefined ? 'survived' : 'killed';
  counts[how]++;
  console.log(
    `${patch.number} ${how.toUpperCase().padEnd(8)} ${patch.part}: ${patch.what} (${seconds(began)})`,
  );
  if (broken !== undefined || failed !== undefined) console.log(`      ${broken ?? failed}`);
}
const { killed, survived, broken, skipped } = counts;
console.log(
  `${patches.length} faults: ${killed} killed, ${survived} survived, ${broken} can't be put in or built, ${skipped} skipped (${seconds(begin)})`,
);
process.exit(survived + broken > 0 || killed === 0 ? 1 : 0);
