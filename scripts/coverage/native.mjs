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
  ['vec/neon.h', 'other processors: check:neon runs it'],
  ['isa/neon.cc', 'other processors'],
  ['addon/node_api_windows.cc', 'Windows alone'],
  ['addon/standalone.cc', 'prebuilt binaries alone: check:prebuilds runs it'],
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
  const flags =
    '-fprofile-instr-generate -fcoverage-mapping -mllvm -runtime-counter-relocation -Wno-unused-command-line-argument';
  run('cmake', [
    ...['-S', root, '-B', build, '-Wno-dev', '-DBUILD_TESTING=ON', '-DCMAKE_CXX_COMPILER=clang++-14'],
    ...['-DSOFTMAX_KERNEL_FLAGS=-O1', `-DCMAKE_CXX_FLAGS=${flags}`, `-DCMAKE_JS_INC=${include_dir}`],
    '--log-level=WARNING',
  ]);
  run('cmake', ['--build', build, '-j', '2', '--target', 'softmax_native', 'kernels_test']);
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

/** LCOV's records: of each file, counts of its lines, and of its branches by line, expression and outcome. */
function readFiles(text) {
  const files = new Map();
  let file;
  for (const record of text.split('\n')) {
    const [name, values = ''] = record.split(/:(.*)/);
    if (name === 'SF') {
      file = { lines: new Map(), branches: new Map() };
      files.set(values.slice(`${root}/native/`.length), file);
    }
    const [line, ...more] = values.split(',');
    if (name === 'DA') file.lines.set(Number(line), Number(more[0]));
    if (name === 'BRDA') {
      const key = `${line},${more[0]},${more[1]}`;
      file.branches.set(key, (file.branches.get(key) ?? 0) + (Number(more[2]) || 0));
    }
  }
  return files;
}

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
  const binaries = [test, '-object', addon];
  const files = readFiles(
    llvm('llvm-cov', ['export', '-format=lcov', `-instr-profile=${merged}`, ...binaries, `${root}/native`]),
  );
  const isCounted = (name) => ![...others.keys()].some((other) => name.startsWith(other));
  const total = { lines: { all: 0, run: 0 }, branches: { all: 0, run: 0 } };
  console.log('\nnative                          lines   branches');
  let count = 0;
  for (const [name, file] of [...files].filter(([name]) => isCounted(name)).sort()) {
    count++;
    const sums = { lines: sumOf(file.lines), branches: sumOf(file.branches) };
    for (const what of ['lines', 'branches'])
      for (const key of ['all', 'run']) total[what][key] += sums[what][key];
    const missing = [...file.lines].filter(([, times]) => times === 0).map(([line]) => line);
    if (missing.length > 0 || sums.branches.run < sums.branches.all)
      console.log(`${name.padEnd(26)}  ${shown(sums.lines)}  ${shown(sums.branches)}   ${ranges(missing)}`);
  }
  const { lines, branches } = total;
  console.log(
    `${`${count} files`.padEnd(26)}  ${shown(lines)}  ${shown(branches)}   (${lines.run} of ${lines.all}, ${branches.run} of ${branches.all})`,
  );
  for (const [name, reason] of others)
    if (existsSync(`${root}/native/${name}`)) console.log(`not counted: ${name.padEnd(26)} ${reason}`);
  return lines.run >= (least / 100) * lines.all;
}
