// An object compiled for one ISA may export its table and nothing else. A weak symbol in it (an inline function, a
// template) could be the copy that the linker keeps for everybody: SIGILL on a CPU without that ISA.
//   node checks/symbols.mjs [directory...]   by default of the development and of the prebuilt binaries, as far
//                                                   as there are any; ELF, COFF and Mach-O
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { read } from './audit/llvm.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const directories = process.argv.length > 2 ? process.argv.slice(2) : ['build', 'build-prebuild'];

// What compilers call by themselves: memory functions, and growing the stack on Windows.
const runtime = new Set([
  '_GLOBAL_OFFSET_TABLE_',
  '__bzero',
  '__chkstk',
  '___chkstk_ms',
  '__stack_chk_fail',
  '__stack_chk_guard',
  'bzero',
  'memcpy',
  'memmove',
  'memset',
  'memset_pattern16',
]);
/** With an underscore before it: of Mach-O. */
const isRuntime = (name) => runtime.has(name) || runtime.has(name.replace(/^_/, ''));
/** Constants of COFF, named by their bits: data, which any CPU can read. */
const isConstant = (name) => /^__(?:real|xmm|ymm|zmm)@[0-9a-f]+$/.test(name);

/** In place of kernels_ISA: a target of node-gyp, or of CMake. */
function findObjects(directory) {
  const paths = existsSync(directory) ? readdirSync(directory, { recursive: true }) : [];
  return paths.flatMap((path) => {
    const isa = path.replaceAll('\\', '/').match(/\/kernels_([a-z0-9]+)(?:\.dir)?\/.*\.o(?:bj)?$/)?.[1];
    return isa === undefined ? [] : [{ isa, path: join(directory, path) }];
  });
}

/** Symbols that another object can see or has to define. */
function problemsOf({ isa, path }) {
  const symbols = [...read('llvm-nm', path).matchAll(/^[0-9a-f]* +(\S) (\S+)$/gm)].map(([, type, name]) => ({
    type,
    name,
  }));
  const table = symbols.filter(({ name }) => /^_?softmax_kernels_/.test(name));
  const isTable = ({ type, name }) =>
    !/[UWwVv]/.test(type) && name.replace(/^_/, '') === `softmax_kernels_${isa}`;
  const others = symbols.filter(
    (symbol) =>
      /[A-Zuvw]/.test(symbol.type) &&
      !isTable(symbol) &&
      !(symbol.type === 'U' && isRuntime(symbol.name)) &&
      !isConstant(symbol.name),
  );
  return [
    ...(table.some(isTable) ? [] : [`${path} has no table`]),
    ...others.map(({ type, name }) => `${path} has ${type} ${name}`),
  ];
}

try {
  const objects = directories.flatMap((directory) => findObjects(resolve(root, directory)));
  const problems = objects.flatMap(problemsOf);
  for (const problem of problems) console.error(`symbols: ${problem.replaceAll(root, '')}`);
  const isSound = objects.length > 0 && problems.length === 0;
  console.log(`symbols: ${objects.length} ISA objects export their table alone: ${isSound ? 'yes' : 'no'}`);
  process.exitCode = isSound ? 0 : 1;
} catch (error) {
  console.error(`symbols: ${error.message}`);
  process.exitCode = 1;
}
