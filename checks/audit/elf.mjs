// Linux.
import { readFileSync } from 'node:fs';
import { readBlocks } from './llvm.mjs';
import { checkExports, checkLibraries, checkNodeApi, compareVersions, isNodeApi, some } from './names.mjs';
import { glibcFloor } from './platforms.mjs';

// One line a name; what follows a # is a comment.
const libcNames = new Set(
  readFileSync(new URL('libc-symbols.txt', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== ''),
);
/** Weak: code does without, as on musl. */
const optionalNames = ['__gmon_start__', '_ITM_deregisterTMCloneTable', '_ITM_registerTMCloneTable'];

function readSymbols(blocks) {
  return blocks.all('Symbol').map((symbol) => {
    const [name, version] = symbol.text('Name').split(/@+/);
    const binding = symbol.text('Binding');
    return { name, version, binding, isDefined: symbol.text('Section') !== 'Undefined' };
  });
}

function checkImports(symbols) {
  const imports = symbols.filter(({ name, isDefined }) => name !== '' && !isDefined);
  const foreign = imports.filter(({ name, binding }) => {
    if (isNodeApi(name) || libcNames.has(name)) return false;
    return binding !== 'Weak' || !optionalNames.includes(name);
  });
  const newer = imports.filter(({ version }) => {
    const glibc = version?.match(/^GLIBC_([\d.]+)$/)?.[1];
    return glibc !== undefined && compareVersions(glibc, glibcFloor) > 0;
  });
  const names = (list) => some(list.map(({ name }) => name));
  return [
    ...checkNodeApi(imports.map(({ name }) => name)),
    ...(foreign.length > 0 ? [`imports ${names(foreign)}, not in checks/audit/libc-symbols.txt`] : []),
    ...newer.map(({ name, version }) => `imports ${name} of ${version}, newer than GLIBC_${glibcFloor}`),
  ];
}

function checkSegments(blocks, pageSize) {
  const segments = blocks.all('ProgramHeader').map((segment) => ({
    type: segment.text('Type'),
    flags: segment.all('Flags').flatMap((flags) => flags.flags()),
    offset: segment.number('Offset'),
    address: segment.number('VirtualAddress'),
    alignment: segment.number('Alignment'),
  }));
  const loads = segments.filter(({ type }) => type === 'PT_LOAD');
  const isPaged = ({ alignment, address, offset }) =>
    alignment >= pageSize && alignment % pageSize === 0 && (address - offset) % alignment === 0;
  const stack = segments.find(({ type }) => type === 'PT_GNU_STACK');
  return [
    ...(loads.length > 0 && loads.every(isPaged)
      ? []
      : [`is not aligned to pages of ${pageSize / 1024} KiB`]),
    ...(loads.some(({ flags }) => flags.includes('PF_W') && flags.includes('PF_X'))
      ? ['has memory that is writable and executable']
      : []),
    ...(segments.some(({ type }) => type === 'PT_GNU_RELRO') ? [] : ['has no RELRO']),
    ...(stack && !stack.flags.includes('PF_X') ? [] : ['asks for an executable stack']),
  ];
}

function checkDynamicTable(blocks) {
  const entries = blocks
    .all('DynamicSection')
    .flatMap(({ lines }) => lines)
    .map((line) => line.split(/\s+/));
  const flags = entries.filter(([, tag]) => /^FLAGS(?:_1)?$/.test(tag)).flatMap(([, , ...names]) => names);
  const tags = blocks
    .all('DynamicSection')
    .flatMap((table) => [
      ...table.lines.map((line) => line.split(/\s+/)[1]),
      ...[...table.fields.keys()].map((key) => key.split(/\s+/)[1]),
    ]);
  return [
    ...(flags.includes('BIND_NOW') || flags.includes('NOW') ? [] : ['binds functions when they are called']),
    ...(flags.includes('NODELETE') ? [] : ['can be unloaded: it is not marked NODELETE']),
    ...(tags.includes('TEXTREL') || flags.includes('TEXTREL') ? ['relocates its code: TEXTREL'] : []),
    ...(tags.includes('RPATH') || tags.includes('RUNPATH') ? ['has a search path for libraries'] : []),
  ];
}

export function readElf(file, { pageSize, libraries }) {
  const blocks = readBlocks(
    file,
    '--file-header',
    '--sections',
    '--program-headers',
    '--dynamic-table',
    '--needed-libs',
    '--dyn-symbols',
  );
  const header = blocks.all('ElfHeader')[0];
  const needed = blocks.all('NeededLibraries').flatMap(({ lines }) => lines);
  const symbols = readSymbols(blocks);
  const sections = blocks.all('Section').map((section) => section.text('Name'));
  const unneeded = sections.filter((name) =>
    /^\.(?:symtab|strtab|z?debug_|stab|gdb_index|gnu_debug)/.test(name),
  );
  const exported = symbols.filter(({ isDefined, binding }) => isDefined && binding !== 'Local');
  return {
    machine: header.number('Machine'),
    isLibrary: header.text('Type') === 'SharedObject' && blocks.all('Ident')[0].text('Class') === '64-bit',
    needed,
    check: () => [
      ...checkLibraries(needed, libraries),
      ...checkExports(exported.map(({ name }) => name)),
      ...checkImports(symbols),
      ...(unneeded.length > 0 ? [`is not stripped: it has ${some(unneeded)}`] : []),
      ...checkSegments(blocks, pageSize),
      ...checkDynamicTable(blocks),
    ],
  };
}
