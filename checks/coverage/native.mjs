// The addon and kernels_test with clang's counters, and the table of native. A line of a template counts as run when any of
// its instances runs it: of any ISA, dtype and layout.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { out, profiles, root, run } from './stage.mjs';

const build = `${out}/native`;
const test = `${build}/kernels_test`;
/** Of the lines, in percent. */
const least = 95;

/** Not counted: */
const others = new Map([
  ['bench/', 'times, no part of the addon'],
  ['test/', 'the tests themselves'],
  ['vec/neon.h', 'other processors: the check neon runs it'],
  ['isa/neon.cc', 'other processors'],
  ['addon/node_api_windows.cc', 'Windows alone'],
  ['addon/standalone.cc', 'prebuilt binaries alone: the check prebuilds runs it'],
]);

function requireTools() {
  const needed = {
    'clang++-14': 'clang-14',
    'llvm-profdata-14': 'llvm-14',
    'llvm-cov-14': 'llvm-14',
    cmake: 'cmake',
  };
  const missing = Object.keys(needed).filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => needed[tool])), 'libclang-rt-14-dev'];
    throw new Error(`coverage: ${missing.join(', ')} missing (Debian: ${packages.join(' ')})`);
  }
}

/** Returns the addon's place. -O1: builds in a third of the time. Counters live in a file: what is killed counts too. */
export function buildNative() {
  requireTools();
  mkdirSync(build, { recursive: true });
  const { include_dir } = createRequire(import.meta.url)('node-api-headers');
  const flags = '-fprofile-instr-generate -fcoverage-mapping -mllvm -runtime-counter-relocation';
  const configuration = [
    ...['-S', root, '-B', build, '-Wno-dev', '-DBUILD_TESTING=ON', '-DCMAKE_CXX_COMPILER=clang++-14'],
    ...['-DSOFTMAX_KERNEL_FLAGS=-O1', `-DCMAKE_CXX_FLAGS=${flags}`, `-DCMAKE_JS_INC=${include_dir}`],
  ];
  const stdio = ['ignore', 'ignore', 'inherit'];
  run('cmake', configuration, { stdio });
  run('cmake', ['--build', build, '-j', '2', '--target', 'softmax_native', 'kernels_test'], { stdio });
  return `${build}/softmax_native.node`;
}

export function runKernelsTest() {
  const env = { ...process.env, LLVM_PROFILE_FILE: `${profiles}/%4m%c.profraw` };
  run(test, ['1000'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function llvm(tool, args) {
  const { status, stdout, stderr } = spawnSync(`${tool}-14`, args, { encoding: 'utf8', maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`coverage: ${tool} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Counts of each file's lines: of LCOV's records, where all instances of a template are one. */
function linesOf(text) {
  const files = new Map();
  let lines;
  for (const record of text.split('\n')) {
    const [, name, values] = /^(SF|DA):(.*)$/.exec(record) ?? [];
    if (name === 'SF') {
      lines = new Map();
      files.set(nameOf(values), lines);
    }
    if (name === 'DA') lines.set(...values.split(',').map(Number));
  }
  return files;
}

/**
 * Counts of both outcomes of each file's conditions, by their places: instances are one here too. What is known when it is
 * compiled, as in `if constexpr`, has neither outcome on a line that runs: it is no branch.
 */
function branchesOf(text, ofLines) {
  const files = new Map();
  for (const { filename, branches } of JSON.parse(text).data[0].files) {
    const conditions = new Map();
    for (const [line, column, endLine, endColumn, ifTrue, ifFalse] of branches) {
      const key = [line, column, endLine, endColumn].join();
      const [before, otherwise] = conditions.get(key)?.counts ?? [0, 0];
      conditions.set(key, { line, counts: [before + ifTrue, otherwise + ifFalse] });
    }
    const name = nameOf(filename);
    const isDecided = ({ line, counts }) => counts[0] + counts[1] === 0 && ofLines.get(name).get(line) > 0;
    const outcomes = [...conditions.values()]
      .filter((one) => !isDecided(one))
      .flatMap(({ counts }) => counts);
    files.set(name, new Map(outcomes.entries()));
  }
  return files;
}

const nameOf = (path) => path.slice(`${root}/native/`.length);

function sumOf(counts) {
  const all = [...counts.values()];
  return { all: all.length, run: all.filter((count) => count > 0).length };
}

const shown = ({ all, run: some }) => (all === 0 ? '-' : `${((100 * some) / all).toFixed(2)} %`).padStart(9);

/** 3, 5, 6, 7 as 3, 5–7. */
function ranges(lines) {
  const shownRanges = [];
  for (const line of lines) {
    const last = shownRanges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else shownRanges.push([line, line]);
  }
  return shownRanges.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(', ');
}

/** Prints what lacks, and returns whether enough lines ran. */
export function reportNative(addon) {
  const merged = `${out}/native.profdata`;
  const raw = readdirSync(profiles).map((name) => `${profiles}/${name}`);
  llvm('llvm-profdata', ['merge', '-sparse', '-o', merged, ...raw]);
  const given = [`-instr-profile=${merged}`, test, '-object', addon, `${root}/native`];
  const ofLines = linesOf(llvm('llvm-cov', ['export', '-format=lcov', ...given]));
  const skipped = ['-skip-functions', '-skip-expansions'];
  const ofBranches = branchesOf(llvm('llvm-cov', ['export', '-format=text', ...skipped, ...given]), ofLines);
  const isCounted = (name) => ![...others.keys()].some((other) => name.startsWith(other));
  const names = [...ofLines.keys()].filter(isCounted).sort();
  const total = { lines: { all: 0, run: 0 }, branches: { all: 0, run: 0 } };
  console.log('\nnative                          lines   branches   lines that did not run');
  for (const name of names) {
    const counted = ofLines.get(name);
    const sums = { lines: sumOf(counted), branches: sumOf(ofBranches.get(name)) };
    for (const what of ['lines', 'branches'])
      for (const key of ['all', 'run']) total[what][key] += sums[what][key];
    const missing = [...counted].filter(([, times]) => times === 0).map(([line]) => line);
    if (missing.length > 0 || sums.branches.run < sums.branches.all)
      console.log(`${name.padEnd(26)}  ${shown(sums.lines)}  ${shown(sums.branches)}   ${ranges(missing)}`);
  }
  const { lines, branches } = total;
  console.log(
    `${`${names.length} files`.padEnd(26)}  ${shown(lines)}  ${shown(branches)}   (${lines.run} of ${lines.all}, ${branches.run} of ${branches.all})`,
  );
  for (const [name, reason] of others)
    if (existsSync(`${root}/native/${name}`)) console.log(`not counted: ${name.padEnd(26)} ${reason}`);
  return lines.run >= (least / 100) * lines.all;
}
