// The table of src: statements, branches and functions that ran in any process.
import { readdirSync, readFileSync } from 'node:fs';
import istanbul from 'istanbul-lib-coverage';

/** The maps with the counts of all processes; counts of other versions of a file are none. */
function merged(maps, directory) {
  const known = new Map(maps.map((one) => [one.path, one]));
  const map = istanbul.createCoverageMap(Object.fromEntries(known));
  for (const name of readdirSync(directory))
    for (const { path, hash, s, f, b } of JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'))) {
      const one = known.get(path);
      if (one?.hash === hash) map.fileCoverageFor(path).merge({ ...one, s, f, b });
    }
  return map;
}

const shown = ({ pct }) => `${pct.toFixed(2)} %`.padStart(9);

function uncovered(file) {
  const { branchMap, b, fnMap, f } = file.toJSON();
  const branches = Object.entries(b).flatMap(([id, counts]) =>
    counts.flatMap((count, i) => {
      if (count > 0) return [];
      const { type, loc, locations } = branchMap[id];
      const { line, column } = locations[i]?.start?.line ? locations[i].start : loc.start;
      return [`${line}:${column} ${type} ${i}`];
    }),
  );
  const functions = Object.entries(f).flatMap(([id, count]) => (count > 0 ? [] : [fnMap[id].loc.start.line]));
  return [
    ['lines', file.getUncoveredLines()],
    ['branches', branches],
    ['functions', functions],
  ].filter(([, some]) => some.length > 0);
}

/** Prints what lacks, and returns whether nothing does. */
export function reportSources(maps, directory) {
  const map = merged(maps, directory);
  console.log('\nsrc                             lines   branches');
  let isWhole = true;
  for (const name of map.files()) {
    const file = map.fileCoverageFor(name);
    const { lines, branches } = file.toSummary();
    if (lines.pct === 100 && branches.pct === 100) continue;
    isWhole = false;
    console.log(`${name.padEnd(26)}  ${shown(lines)}  ${shown(branches)}`);
    for (const [what, some] of uncovered(file)) console.log(`    ${what}: ${some.join(', ')}`);
  }
  const { lines, branches, functions } = map.getCoverageSummary();
  console.log(
    `${`${map.files().length} files`.padEnd(26)}  ${shown(lines)}  ${shown(branches)}` +
      `   (${lines.covered} of ${lines.total}, ${branches.covered} of ${branches.total}; ${functions.covered} of ${functions.total} functions)`,
  );
  return isWhole;
}
