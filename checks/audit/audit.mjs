// The audit of a directory of prebuilt binaries: its faults, one line each.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkChecksums, listFiles, sha256 } from './checksums.mjs';
import { readElf } from './elf.mjs';
import { readBlocks } from './llvm.mjs';
import { readMachO } from './macho.mjs';
import { readPe } from './pe.mjs';
import { fileName, platforms } from './platforms.mjs';
import { checkTexts } from './texts.mjs';

const readers = { ELF: readElf, PE: readPe, 'Mach-O': readMachO };

/** What llvm-readobj calls a file, as ours; undefined for none of them. */
function formatOf(name) {
  if (/^elf/i.test(name)) return 'ELF';
  if (/^coff/i.test(name)) return 'PE';
  return /^mach-o/i.test(name) ? 'Mach-O' : undefined;
}

const isUniversal = (bytes) => bytes.length >= 4 && [0xcafebabe, 0xcafebabf].includes(bytes.readUInt32BE(0));

/** The faults of one file, and the libraries it needs. */
export function checkBinary(file, platform) {
  const bytes = readFileSync(file);
  if (isUniversal(bytes)) return { faults: ['is a universal binary, of several machines'], needed: [] };
  const expected = platforms[platform];
  try {
    const format = formatOf(readBlocks(file, '--file-header').text('Format') ?? '');
    if (format !== expected.format)
      return { faults: [`is ${format ?? 'something else'}, not ${expected.format}`], needed: [] };
    const binary = readers[format](file, expected);
    if (binary.machine !== expected.machine) {
      const [found, wanted] = [binary.machine, expected.machine].map(
        (machine) => `0x${machine.toString(16)}`,
      );
      return { faults: [`is for machine ${found}, not ${wanted}`], needed: [] };
    }
    const kind = binary.isLibrary ? [] : ['is not a 64-bit library'];
    return { faults: [...kind, ...binary.check(), ...checkTexts(bytes)], needed: binary.needed };
  } catch (error) {
    if (/^there is no /.test(error.message)) throw error;
    return { faults: [`cannot be read: ${error.message.replaceAll(file, fileName)}`], needed: [] };
  }
}

function checkFiles(directory, files, expected) {
  const wanted = expected.map((platform) => `${platform}/${fileName}`);
  return [
    ...expected
      .filter((platform) => !files.includes(`${platform}/${fileName}`))
      .map((platform) => `${platform}/${fileName}: is missing: npm run prebuild -- ${platform}`),
    ...files.filter((file) => !wanted.includes(file)).map((file) => `${file}: is not to be here`),
    ...findCopies(directory, files),
  ];
}

function findCopies(directory, files) {
  const firsts = new Map();
  return files.flatMap((file) => {
    const sum = sha256(readFileSync(join(directory, file)));
    const first = firsts.get(sum);
    if (first === undefined) firsts.set(sum, file);
    return first === undefined ? [] : [`${file}: has the same bytes as ${first}`];
  });
}

/** expected: the platforms that have to be there, and no others. */
export function audit(directory, expected) {
  const files = existsSync(directory) ? listFiles(directory) : [];
  const present = expected.filter((platform) => files.includes(`${platform}/${fileName}`));
  const binaries = present.map((platform) => ({
    platform,
    ...checkBinary(join(directory, platform, fileName), platform),
  }));
  const faults = [
    ...checkFiles(directory, files, expected),
    ...binaries.flatMap(({ platform, faults }) => faults.map((fault) => `${platform}/${fileName}: ${fault}`)),
    ...checkChecksums(
      directory,
      present.map((platform) => `${platform}/${fileName}`),
    ),
  ];
  return { faults, binaries };
}
