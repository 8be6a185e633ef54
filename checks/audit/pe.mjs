// Windows.
import { readBlocks } from './llvm.mjs';
import { checkExports, checkLibraries, checkNodeApi, some } from './names.mjs';

const hardening = ['DYNAMIC_BASE', 'HIGH_ENTROPY_VA', 'NX_COMPAT'];

export function readPe(file, { libraries }) {
  const blocks = readBlocks(file, '--file-header', '--sections', '--coff-imports', '--coff-exports');
  const [header] = blocks.all('ImageFileHeader');
  const [optional] = blocks.all('ImageOptionalHeader');
  const imports = [...blocks.all('Import'), ...blocks.all('DelayImport')];
  // A delayed import has its symbols in blocks without a name.
  const needed = imports.map((block) => block.text('Name')).filter((name) => name !== undefined);
  const imported = imports.flatMap((block) => block.fields.get('Symbol') ?? []);
  const exported = blocks.all('Export').map((block) => block.text('Name'));
  const characteristics = optional.all('Characteristics').flatMap((flags) => flags.flags());
  const missing = hardening.filter((name) => !characteristics.includes(`IMAGE_DLL_CHARACTERISTICS_${name}`));
  const sections = blocks.all('Section').map((section) => section.text('Name'));
  const debug = sections.filter((name) => /^(?:\.debug_|\.stab|\/\d+$)/.test(name));
  const [directory] = optional.all('DataDirectory');
  return {
    machine: header.number('Machine'),
    isLibrary: header
      .all('Characteristics')
      .flatMap((flags) => flags.flags())
      .includes('IMAGE_FILE_DLL'),
    needed,
    check: () => [
      ...checkLibraries(needed, libraries),
      ...checkExports(exported),
      ...checkNodeApi(imported.map((name) => name.replace(/ \(\d+\)$/, ''))),
      ...(header.number('SymbolCount') > 0 ? ['is not stripped: it has a symbol table'] : []),
      ...(debug.length > 0 ? [`is not stripped: it has ${some(debug)}`] : []),
      ...(directory.number('DebugSize') > 0 ? ['is not stripped: it names a file of debug information'] : []),
      ...missing.map((name) => `is not marked ${name}`),
    ],
  };
}
