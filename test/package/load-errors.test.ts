// What is said of a binary that can't be read or loaded, on systems and by runtimes that are not this one.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { isLoadable } from '../../src/backends/native/binary-file.js';
import {
  type LoadError,
  loadingFailed,
  readingFailed,
  rebuild,
  reinstall,
} from '../../src/backends/native/load-error.js';

const own = Object.getOwnPropertyDescriptors(process);
afterEach(() => Object.defineProperties(process, { platform: own.platform, arch: own.arch }));

function processIs(platform: string, arch: string): void {
  Object.defineProperty(process, 'platform', { ...own.platform, value: platform });
  Object.defineProperty(process, 'arch', { ...own.arch, value: arch });
}

const denied = (code: string) => Object.assign(new Error('not this'), { code });
const deno = Object.assign(new Error('Requires read access'), { name: 'NotCapable' });
const shown = ({ message, isUnexpected, cause }: LoadError) => ({ message, isUnexpected, cause });

describe('reading', () => {
  it("is forbidden by Deno, or by Node's permission model: as was wanted", () => {
    expect(shown(readingFailed('/a.node', deno))).toEqual({
      message: 'Deno was not allowed to read /a.node; run it with --allow-read --allow-ffi',
      isUnexpected: false,
      cause: deno,
    });
    const error = denied('ERR_ACCESS_DENIED');
    const remedy = 'run with --allow-addons and --allow-fs-read=/a.node';
    expect(shown(readingFailed('/a.node', error))).toEqual({
      message: `Node's permission model forbids reading /a.node; ${remedy}`,
      isUnexpected: false,
      cause: error,
    });
  });

  it('fails for a reason of the system', () => {
    const error = new Error('EACCES: permission denied, open');
    expect(shown(readingFailed('/a.node', error))).toEqual({
      message: "can't read /a.node (EACCES: permission denied, open); make it readable",
      isUnexpected: true,
      cause: error,
    });
    expect(readingFailed('/a.node', null).message).toBe("can't read /a.node (null); make it readable");
  });
});

describe('loading', () => {
  it('is forbidden', () => {
    expect(shown(loadingFailed('/a.node', deno, rebuild))).toEqual({
      message: 'Deno was not allowed to load addons; run it with --allow-ffi',
      isUnexpected: false,
      cause: deno,
    });
    const error = denied('ERR_DLOPEN_DISABLED');
    const said = (permission: unknown) => {
      Object.defineProperty(process, 'permission', { value: permission, configurable: true });
      try {
        return shown(loadingFailed('/a.node', error, rebuild));
      } finally {
        if (own.permission) Object.defineProperty(process, 'permission', own.permission);
        else Reflect.deleteProperty(process, 'permission');
      }
    };
    const byFlag = 'addons are disabled by --no-addons; run without it';
    expect(said(undefined)).toEqual({ message: byFlag, isUnexpected: false, cause: error });
    const byModel = "Node's permission model forbids addons; run with --allow-addons";
    expect(said({})).toEqual({ message: byModel, isUnexpected: false, cause: error });
  });

  const yarn = 'Yarn keeps it in an archive: set dependenciesMeta.softmax-native.unplugged in package.json';
  it.each([
    [
      '/a.node',
      "/a.node: version `GLIBC_2.28' not found\nmore",
      "version `GLIBC_2.28' not found",
      'it needs glibc 2.28 or later: update the system',
    ],
    ['/a.node', 'Operation not permitted', 'Operation not permitted', 'is its file system mounted noexec?'],
    ['/cache/b.zip/a.node', 'no such file\r\nmore', 'no such file', yarn],
    ['/a.node', ' anything else \n', 'anything else', rebuild],
  ])('%s: %j', (path, said, first, remedy) => {
    for (const error of [new Error(said), said])
      expect(shown(loadingFailed(path, error, rebuild))).toEqual({
        message: `${path} does not load: ${first}; ${remedy}`,
        isUnexpected: true,
        cause: error,
      });
  });
});

describe('the look at a file before it is loaded', () => {
  const directory = mkdtempSync(join(tmpdir(), 'softmax-native-'));
  const file = join(directory, 'a.node');
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Bytes of 256, some of them set. */
  const see = (text: string, numbers: readonly (readonly [at: number, value: number])[] = []) => {
    const bytes = Buffer.alloc(256);
    bytes.write(text, 'latin1');
    for (const [at, value] of numbers) bytes.writeUInt32LE(value, at);
    writeFileSync(file, bytes);
    return isLoadable(file, reinstall);
  };
  const elf = (processor: number) => () => see('\x7fELF\x02', [[18, processor]]);
  const mach = (processor: number) => () => see('\xcf\xfa\xed\xfe', [[4, processor]]);
  const pe = (processor: number, header = 128) => {
    return () =>
      see('MZ', [
        [60, header],
        [header, 0x4550],
        [header + 4, processor],
      ]);
  };

  it.each([
    ['linux', 'x64', elf(62)],
    ['linux', 'arm64', elf(183)],
    ['freebsd', 'x64', elf(62)],
    ['win32', 'x64', pe(0x8664)],
    ['win32', 'arm64', pe(0xaa64)],
    ['darwin', 'x64', mach(0x01000007)],
    ['darwin', 'arm64', mach(0x0100000c)],
  ])('for %s-%s: right there, and nowhere else', (platform, arch, look) => {
    processIs(platform, arch);
    expect(look()).toBe(true);
    const binary = platform === 'freebsd' ? 'linux' : platform;
    for (const other of ['linux', 'win32', 'darwin'])
      for (const processor of ['x64', 'arm64']) {
        if (other === binary && processor === arch) continue;
        processIs(other, processor);
        const message = `${file} is for ${binary}-${arch}, and this is ${other}-${processor}; were its files copied`;
        expect(look).toThrow(message);
      }
  });

  it('of a processor that this project does not know: that is for the system to say', () => {
    for (const look of [elf(243), mach(0x01000012), pe(0x5064)]) expect(look()).toBe(true);
  });

  it('no 64-bit binary', () => {
    const message = `${file} is no addon: cut short or overwritten; ${reinstall}`;
    const looks = [
      () => see('\x7fELF\x01'),
      () => see('MZ', [[60, 4096]]),
      () => see('MZ', [[60, 128]]),
      () => see('#!'),
    ];
    for (const look of looks) expect(look).toThrow(message);
  });

  it('none there', () => {
    expect(isLoadable(join(directory, 'none.node'), reinstall)).toBe(false);
    expect(isLoadable(join(file, 'none.node'), reinstall)).toBe(false);
  });
});
