// The signature of a Mach-O file. An Apple processor ends a process that runs a page which its signature does not have;
// LLVM shows where the signature is, not whether it fits.
import { createHash } from 'node:crypto';

const superBlobMagic = 0xfade0cc0;
const codeDirectoryMagic = 0xfade0c02;
const adHoc = 0x2;
const sha256Type = 2;

/** The code directory, whose numbers are all big-endian. */
function findCodeDirectory(signature) {
  if (signature.readUInt32BE(0) !== superBlobMagic) return undefined;
  for (let i = 0; i < signature.readUInt32BE(8); i++) {
    const offset = signature.readUInt32BE(12 + 8 * i + 4);
    if (signature.readUInt32BE(offset) === codeDirectoryMagic) return signature.subarray(offset);
  }
  return undefined;
}

function checkPages(bytes, directory) {
  const hashOffset = directory.readUInt32BE(16);
  const pages = directory.readUInt32BE(28);
  const codeLimit = directory.readUInt32BE(32);
  const hashSize = directory.readUInt8(36);
  const pageSize = 2 ** directory.readUInt8(39);
  if (directory.readUInt8(37) !== sha256Type) return ['has a signature without SHA-256'];
  if (pages !== Math.ceil(codeLimit / pageSize)) return ['has a signature of another file'];
  if (hashOffset + pages * hashSize > directory.length) return ['has a signature that is cut off'];
  for (let page = 0; page < pages; page++) {
    const code = bytes.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeLimit));
    const expected = directory.subarray(hashOffset + page * hashSize, hashOffset + (page + 1) * hashSize);
    const hash = createHash('sha256').update(code).digest().subarray(0, hashSize);
    if (!hash.equals(expected)) return [`was changed after it was signed: page ${page}`];
  }
  return [];
}

/** command: LC_CODE_SIGNATURE, if there is one. */
export function checkSignature(bytes, command, isNeeded) {
  if (command === undefined) return isNeeded ? ['is not signed'] : [];
  const begin = Number(command.get('dataoff'));
  const end = begin + Number(command.get('datasize'));
  try {
    const directory = findCodeDirectory(bytes.subarray(begin, end));
    if (directory === undefined) return ['has a signature without a code directory'];
    if ((directory.readUInt32BE(12) & adHoc) === 0) return ['has a signature that is not ad hoc'];
    return checkPages(bytes, directory);
  } catch (error) {
    if (error instanceof RangeError) return ['has a signature that is cut off'];
    throw error;
  }
}
