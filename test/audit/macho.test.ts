// Each promise of a macOS binary, broken once, with the prebuild's zig.

import { describe, expect, it } from 'vitest';
import { type Change, compile, faultsOf, hasZig, newDirectory, zig } from './binaries.js';
import { codeDirectoryMagic, findCommand, linkedBy } from './macho-file.js';

const x64 = zig('x86_64-macos.11.0');
const arm64 = zig('aarch64-macos.11.0');
const importing = (name: string): Change => ({
  source: (sound) => sound.replaceAll('napi_get_undefined', name),
});
const exported = { code: '__attribute__((visibility("default"))) int extra = 1;' };

const segment64 = 0x19;
const codeSignature = 0x1d;
/** As long as codeSignature. */
const segmentSplitInfo = 0x1e;

/** In its signature: a number of the code directory is another one. */
const inCodeDirectory = (offset: number, change: (value: number) => number) => (bytes: Buffer) => {
  const at = bytes.lastIndexOf(codeDirectoryMagic) + offset;
  bytes.writeUInt32BE(change(bytes.readUInt32BE(at)) >>> 0, at);
};

const faulty: [fault: string, change: Change][] = [
  ['exports extra', exported],
  ['exports extra', { code: `__attribute__((weak)) ${exported.code}` }],
  [
    'does not export node_api_module_get_api_version_v1',
    { source: (sound) => sound.replace(/EXPORT int .*\n/, '') },
  ],
  ['has a search path for libraries', { add: ['-Wl,-rpath,/nowhere'] }],
  [
    'was changed after it was signed: page 0',
    {
      patch(bytes) {
        const code = bytes.readUInt32LE(bytes.indexOf('__text') + 48);
        bytes.writeUInt8(bytes.readUInt8(code) ^ 1, code);
      },
    },
  ],
  [
    'is not signed',
    {
      patch(bytes) {
        bytes.writeUInt32LE(segmentSplitInfo, findCommand(bytes, codeSignature));
      },
    },
  ],
  ['has a signature that is not ad hoc', { patch: inCodeDirectory(12, (flags) => flags & ~2) }],
  ['has a signature of another file', { patch: inCodeDirectory(28, (pages) => pages + 1) }],
  ['has a signature without SHA-256', { patch: inCodeDirectory(36, (sizes) => sizes & 0xff00ffff) }],
  ['has a signature that is cut off', { patch: inCodeDirectory(16, () => 0xffffff) }],
  [
    'has a signature without a code directory',
    {
      patch(bytes) {
        bytes.fill(0, bytes.readUInt32LE(findCommand(bytes, codeSignature) + 8));
      },
    },
  ],
];

describe.skipIf(!hasZig)('macOS', () => {
  it('sound binaries have no faults', () => {
    expect(faultsOf('darwin-x64', x64)).toEqual([]);
    expect(faultsOf('darwin-arm64', arm64)).toEqual([]);
  });

  it.each(faulty)('%s', (fault, change) => {
    expect(faultsOf('darwin-arm64', arm64, change)).toEqual([fault]);
  });

  it.each([
    ['imports node_api_create_syntax_error, not of Node-API 8', 'node_api_create_syntax_error'],
    ['takes strange from whatever is loaded', 'strange'],
  ])('%s', (fault, name) => {
    expect(faultsOf('darwin-arm64', arm64, importing(name))).toEqual([fault]);
  });

  it('each for its own machine', () => {
    expect(faultsOf('darwin-arm64', x64)).toEqual(['is for machine 0x1000007, not 0x100000c']);
    expect(faultsOf('darwin-x64', arm64)).toEqual(['is for machine 0x100000c, not 0x1000007']);
  });

  it('a newer macOS', () => {
    expect(faultsOf('darwin-x64', zig('x86_64-macos.10.15'))).toEqual([]);
    expect(faultsOf('darwin-x64', zig('x86_64-macos.12.3'))).toEqual(['needs macOS 12.3, newer than 11.0']);
  });

  it('another linker: of zig, and of another LLVM', () => {
    const { command, flags } = arm64;
    expect(faultsOf('darwin-arm64', { command, flags })).toEqual([
      'was linked by 0x000005 0.0, not by ld 14.0.6',
    ]);
    expect(faultsOf('darwin-x64', x64, { patch: linkedBy('16.0.6') })).toEqual([
      'was linked by ld 16.0.6, not by ld 14.0.6',
    ]);
    const { command: older } = zig('x86_64-macos.10.13');
    expect(faultsOf('darwin-x64', { command: older, flags })).toEqual(['does not say what linked it']);
  });

  it('not stripped', () => {
    const change = {
      remove: ['-s'],
      add: ['-g'],
      code: 'static int here = 3; int* use(void) { return &here; }',
    };
    const faults = faultsOf('darwin-arm64', arm64, change);
    expect(faults.join('\n')).toMatch(/is not stripped: it has \d+ local symbols/);
    expect(faults).toContain('is not stripped: it has a debug map');
  });

  it('a foreign library', () => {
    const directory = newDirectory();
    const library = { code: '__attribute__((visibility("default"))) int foreign(void) { return 1; }' };
    compile(arm64, `${directory}/libforeign.dylib`, {
      ...library,
      add: ['-Wl,-install_name,@rpath/libforeign.dylib'],
    });
    expect(
      faultsOf('darwin-arm64', arm64, { ...importing('foreign'), add: [`${directory}/libforeign.dylib`] }),
    ).toEqual(['needs the library @rpath/libforeign.dylib']);
  });

  it('pages of 16 KiB, and of code that is not writable', () => {
    const initialProtection = 60;
    const patch = (bytes: Buffer) => {
      const at = findCommand(bytes, segment64);
      bytes.writeUInt32LE(7, at + initialProtection);
    };
    expect(faultsOf('darwin-arm64', arm64, { patch })).toEqual([
      'has memory that is writable and executable',
      'was changed after it was signed: page 0',
    ]);
    const smallPages = (bytes: Buffer) => {
      const size = findCommand(bytes, segment64) + 32;
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(size) + 4096n, size);
    };
    expect(faultsOf('darwin-arm64', arm64, { patch: smallPages })).toContain(
      'is not aligned to pages of 16 KiB',
    );
  });
});
