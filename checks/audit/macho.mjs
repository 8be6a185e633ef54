// macOS.
import { readFileSync } from 'node:fs';
import { read, readBlocks } from './llvm.mjs';
import { checkExports, checkLibraries, checkNodeApi, compareVersions, isNodeApi, some } from './names.mjs';
import { checkSignature } from './signature.mjs';

/** Load commands: the fields of each, of several with one name the first (those after it are of sections). */
function readCommands(file) {
  const [, ...texts] = read('llvm-objdump', '--macho', '--private-headers', file).split(
    /^Load command \d+$/m,
  );
  return texts.map((text) => {
    const command = new Map();
    for (const line of text.split('\n')) {
      const [, key, value] = line.trim().match(/^(\S+) +(.*)$/) ?? [];
      if (key !== undefined && !command.has(key)) command.set(key, value);
    }
    return command;
  });
}

/** A name of C without the underscore that Mach-O puts before it. */
const cName = (name) => name.replace(/^_/, '');

function readSymbols(file) {
  const undefinedSymbols = [...read('llvm-nm', '-m', '-u', file).matchAll(/external (\S+) \((.*)\)$/gm)];
  const types = [...read('llvm-nm', '-a', '--defined-only', file).matchAll(/^[0-9a-f]+ (\S)/gm)];
  const trie = read('llvm-objdump', '--macho', '--exports-trie', file);
  return {
    imports: undefinedSymbols.map(([, name, from]) => ({ name: cName(name), from })),
    exported: [...trie.matchAll(/^(?:0x[0-9A-Fa-f]+|\[re-export\])\s+(\S+)/gm)].map(([, name]) =>
      cName(name),
    ),
    // Lower case: local.
    locals: types.filter(([, type]) => /[a-z]/.test(type)).length,
    hasDebugMap: types.some(([, type]) => type === '-'),
  };
}

function checkImports(imports) {
  const unbound = imports.filter(({ name, from }) => from === 'dynamically looked up' && !isNodeApi(name));
  return [
    ...checkNodeApi(imports.map(({ name }) => name)),
    ...(unbound.length > 0 ? [`takes ${some(unbound.map(({ name }) => name))} from whatever is loaded`] : []),
  ];
}

function checkMinimum(commands, newest) {
  const versions = commands.flatMap((command) => {
    const isVersion = /^LC_(?:BUILD_VERSION|VERSION_MIN_MACOSX)$/.test(command.get('cmd'));
    return isVersion ? [command.get('minos') ?? command.get('version')] : [];
  });
  if (versions.length === 0) return ['does not say which macOS it needs'];
  return versions
    .filter((version) => compareVersions(version, newest) > 0)
    .map((version) => `needs macOS ${version}, newer than ${newest}`);
}

/** What the linker wrote of itself. LLVM's of before 15 calls itself ld, as Apple's does, whose versions are others. */
function checkLinker(commands, { tool, version }) {
  const build = commands.find((command) => command.get('cmd') === 'LC_BUILD_VERSION');
  if (build?.get('ntools') !== '1') return ['does not say what linked it'];
  const found = `${build.get('tool')} ${build.get('version')}`;
  return found === `${tool} ${version}` ? [] : [`was linked by ${found}, not by ${tool} ${version}`];
}

function checkSegments(commands, pageSize) {
  const segments = commands.filter((command) => command.get('cmd') === 'LC_SEGMENT_64');
  const isPaged = (segment) =>
    ['vmaddr', 'vmsize', 'fileoff'].every((key) => Number(segment.get(key)) % pageSize === 0);
  const isWritableCode = (segment) => /w.*x/.test(segment.get('initprot'));
  return [
    ...(segments.length > 0 && segments.every(isPaged)
      ? []
      : [`is not aligned to pages of ${pageSize / 1024} KiB`]),
    ...(segments.some(isWritableCode) ? ['has memory that is writable and executable'] : []),
  ];
}

export function readMachO(file, { pageSize, libraries, newestMinimum, isSigned, linker }) {
  const [header] = readBlocks(file, '--file-header').all('MachHeader');
  const commands = readCommands(file);
  const named = (pattern) => commands.filter((command) => pattern.test(command.get('cmd')));
  const needed = named(/^LC_(?:LOAD|LOAD_WEAK|REEXPORT|LAZY_LOAD|LOAD_UPWARD)_DYLIB$/).map((command) =>
    command.get('name').replace(/ \(offset \d+\)$/, ''),
  );
  return {
    machine: header.number('CpuType'),
    isLibrary: ['DynamicLibrary', 'Bundle'].includes(header.text('FileType')),
    needed,
    check() {
      const { imports, exported, locals, hasDebugMap } = readSymbols(file);
      return [
        ...checkLibraries(needed, libraries),
        ...checkExports(exported),
        ...checkImports(imports),
        ...(locals > 0 ? [`is not stripped: it has ${locals} local symbols`] : []),
        ...(hasDebugMap ? ['is not stripped: it has a debug map'] : []),
        ...(named(/^LC_RPATH$/).length > 0 ? ['has a search path for libraries'] : []),
        ...checkSegments(commands, pageSize),
        ...checkMinimum(commands, newestMinimum),
        ...checkLinker(commands, linker),
        ...checkSignature(readFileSync(file), named(/^LC_CODE_SIGNATURE$/)[0], isSigned),
      ];
    },
  };
}
