// Each promise of a Windows binary, broken once, with the prebuild's zig.

import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Change, compile, faultsOf, hasZig, newDirectory, run, zig, zigPath } from './binaries.js';

const x64 = zig('x86_64-windows-gnu');
const arm64 = zig('aarch64-windows-gnu');

/** Takes flags out of DllCharacteristics. */
const clearFlags = (flags: number) => (bytes: Buffer) => {
  const at = bytes.readUInt32LE(0x3c) + 24 + 70;
  bytes.writeUInt16LE(bytes.readUInt16LE(at) & ~flags, at);
};

/** A library of names that node.exe exports. */
function nodeLibrary(...names: string[]): string {
  const directory = newDirectory();
  writeFileSync(`${directory}/node.def`, `NAME node.exe\nEXPORTS\n${names.join('\n')}\n`);
  const machine = ['-m', 'i386:x86-64'];
  run(zigPath, ['dlltool', ...machine, '-D', 'node.exe', '-d', 'node.def', '-l', 'node.lib'], directory);
  return `${directory}/node.lib`;
}

/** A table of one symbol and no strings, in the zeros at the end. */
const addSymbols = (bytes: Buffer) => {
  const header = bytes.readUInt32LE(0x3c) + 4;
  bytes.writeUInt32LE(bytes.length - 22, header + 8);
  bytes.writeUInt32LE(1, header + 12);
};

/** Another name for a section. */
const rename = (from: string, to: string) => (bytes: Buffer) => {
  bytes.write(to.padEnd(8, '\0'), bytes.indexOf(`${from}\0`), 'latin1');
};

const faulty: [fault: string, change: Change][] = [
  ['exports extra', { code: 'EXPORT int extra(void) { return 1; }' }],
  ['does not export napi_register_module_v1', { source: (sound) => sound.replace('EXPORT void*', 'void*') }],
  [
    'needs the library USER32.dll',
    {
      code: 'int MessageBeep(unsigned); EXPORT int napi_use(void) { return MessageBeep(0); }',
      add: ['-luser32'],
    },
  ],
  ['is not stripped: it has a symbol table', { patch: addSymbols }],
  ['is not stripped: it has .debug_x', { patch: rename('.pdata', '.debug_x') }],
  ['is not marked DYNAMIC_BASE', { patch: clearFlags(0x40) }],
  ['is not marked HIGH_ENTROPY_VA', { patch: clearFlags(0x20) }],
  ['is not marked NX_COMPAT', { patch: clearFlags(0x100) }],
];

describe.skipIf(!hasZig)('Windows', () => {
  it('sound binaries have no faults', () => {
    expect(faultsOf('win32-x64', x64)).toEqual([]);
    expect(faultsOf('win32-arm64', arm64)).toEqual([]);
  });

  it.each(faulty)('%s', (fault, change) => {
    const faults = faultsOf('win32-x64', x64, change);
    expect(faults.filter((other) => other !== 'exports napi_use')).toEqual([fault]);
  });

  it('each for its own machine', () => {
    expect(faultsOf('win32-arm64', x64)).toEqual(['is for machine 0x8664, not 0xaa64']);
    expect(faultsOf('win32-x64', arm64)).toEqual(['is for machine 0xaa64, not 0x8664']);
  });

  it('not stripped', () => {
    const faults = faultsOf('win32-x64', x64, { remove: ['-s'] });
    expect(faults).toContain('is not stripped: it names a file of debug information');
    expect(faults.filter((fault) => !fault.startsWith('is not stripped'))).toEqual([
      expect.stringMatching(/^has a path of the machine that built it: .*\.pdb$/),
    ]);
  });

  it('tied to node.exe, and Node-API of another version than is promised', () => {
    const library = nodeLibrary('napi_get_undefined', 'node_api_create_syntax_error');
    const code = (name: string) => `int ${name}(void); int use(void) { return ${name}(); }
      __attribute__((constructor)) void begin(void) { use(); }`;
    const tied = 'needs the library node.exe';
    expect(faultsOf('win32-x64', x64, { code: code('napi_get_undefined'), add: [library] })).toEqual([tied]);
    expect(
      faultsOf('win32-x64', x64, { code: code('node_api_create_syntax_error'), add: [library] }),
    ).toEqual([tied, 'imports node_api_create_syntax_error, not of Node-API 8']);
  });

  it('a program', () => {
    const directory = newDirectory();
    compile(x64, `${directory}/sound.dll`);
    const change = {
      remove: ['-shared'],
      add: ['-Wl,--subsystem,console'],
      code: 'int wWinMainCRTStartup(void) { return 0; }',
    };
    expect(faultsOf('win32-x64', x64, change)).toContain('is not a 64-bit library');
  });
});
