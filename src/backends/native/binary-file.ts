// A look at the addon's file before the system's loader sees it: Linux' ends the process by SIGBUS for one that is cut
// short, and says of one for another processor that there is none. Windows and macOS check the length themselves.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { process } from '../../node-modules.js';
import { LoadError, readingFailed, reinstall } from './load-error.js';

interface Binary {
  /** As in `linux-x64`; undefined when it is another one than this project knows. */
  readonly target: string | undefined;
  /** How many bytes the file has to have at least. */
  readonly length: number;
}

const elfProcessors = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);
const peProcessors = new Map([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);
const machProcessors = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);

const targetOf = (platform: string, processor: string | undefined): string | undefined =>
  processor === undefined ? undefined : `${platform}-${processor}`;

/** The table of sections is the last part of an ELF file. */
function readElf(view: DataView): Binary {
  const sections = Number(view.getBigUint64(40, true)) + view.getUint16(58, true) * view.getUint16(60, true);
  return { target: targetOf('linux', elfProcessors.get(view.getUint16(18, true))), length: sections };
}

function readPe(view: DataView): Binary | undefined {
  const header = view.getUint32(60, true);
  if (header + 6 > view.byteLength || view.getUint32(header, true) !== 0x4550) return undefined;
  return { target: targetOf('win32', peProcessors.get(view.getUint16(header + 4, true))), length: 0 };
}

/** What the first bytes of a file say; undefined when it is no 64-bit binary. */
function readBinary(view: DataView): Binary | undefined {
  if (view.byteLength < 64) return undefined;
  const magic = view.getUint32(0, false);
  if (magic === 0x7f454c46) return view.getUint8(4) === 2 ? readElf(view) : undefined;
  if (magic >>> 16 === 0x4d5a) return readPe(view);
  if (magic !== 0xcffaedfe) return undefined;
  return { target: targetOf('darwin', machProcessors.get(view.getUint32(4, true))), length: 0 };
}

function readStart(path: string): { view: DataView; length: number } | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(1024);
      const count = readSync(file, bytes, 0, bytes.length, 0);
      return { view: new DataView(bytes.buffer, 0, count), length: fstatSync(file).size };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as { code?: unknown }).code as string)) return undefined;
    throw readingFailed(path, error);
  }
}

/**
 * Whether there is such a file. Throws a LoadError when the system's loader must not see it: it can't be read, is cut
 * short, no binary at all or one for another platform.
 */
export function isLoadable(path: string, again: string): boolean {
  const start = readStart(path);
  if (start === undefined) return false;
  const binary = readBinary(start.view);
  if (binary === undefined) throw new LoadError(`${path} is no addon: cut short or overwritten`, again, true);
  if (start.length < binary.length) {
    const happened = `${path} is cut short: ${start.length} bytes of ${binary.length}`;
    throw new LoadError(happened, again, true);
  }
  // All systems other than Windows and macOS have ELF.
  const system = ['win32', 'darwin'].includes(process.platform) ? process.platform : 'linux';
  if (binary.target === undefined || binary.target === `${system}-${process.arch}`) return true;
  const happened = `${path} is for ${binary.target}, and this is ${process.platform}-${process.arch}`;
  throw new LoadError(happened, `were its files copied from another machine? ${reinstall}`, true);
}
