// Changes of a Mach-O file that leave it sound.

import { createHash } from 'node:crypto';

export const codeDirectoryMagic = Buffer.from('fade0c02', 'hex');
const buildVersion = 0x32;
const ld = 3;

/** Where the first load command of a kind begins. */
export function findCommand(bytes: Buffer, kind: number): number {
  let at = 32;
  while (bytes.readUInt32LE(at) !== kind) at += bytes.readUInt32LE(at + 4);
  return at;
}

/** Its first page, which has the load commands, signed again if it is signed. */
function sign(bytes: Buffer): void {
  const directory = bytes.lastIndexOf(codeDirectoryMagic);
  if (directory === -1) return;
  const end = Math.min(2 ** bytes.readUInt8(directory + 39), bytes.readUInt32BE(directory + 32));
  const hash = createHash('sha256').update(bytes.subarray(0, end)).digest();
  hash.copy(bytes, directory + bytes.readUInt32BE(directory + 16));
}

/** As if LLVM's linker of that version had written it. */
export const linkedBy = (version: string) => (bytes: Buffer) => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const tool = findCommand(bytes, buildVersion) + 24;
  bytes.writeUInt32LE(ld, tool);
  bytes.writeUInt32LE((major << 16) | (minor << 8) | patch, tool + 4);
  sign(bytes);
};
