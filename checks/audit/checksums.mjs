// prebuilds/SHA256SUMS, as sha256sum writes and checks it. The prebuild writes it, the audit reads it.
//   node checks/audit/checksums.mjs [directory]   writes it
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const sumsName = 'SHA256SUMS';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** All files but the sums, as paths with /, sorted. */
export function listFiles(directory) {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(resolve(directory).length + 1))
    .map((path) => path.replaceAll('\\', '/'));
  return files.filter((path) => path !== sumsName).sort();
}

/** Returns what it writes. */
export function writeChecksums(directory) {
  const lines = listFiles(directory).map(
    (path) => `${sha256(readFileSync(join(directory, path)))}  ${path}\n`,
  );
  writeFileSync(join(directory, sumsName), lines.join(''));
  return lines.join('');
}

/** files: that have to be in it; one that is in it and not there is a fault, too. */
export function checkChecksums(directory, files) {
  const path = join(directory, sumsName);
  if (!existsSync(path)) return [`${sumsName}: is missing`];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  const missing = files.filter((file) => !sums.has(file)).map((file) => `${sumsName}: does not have ${file}`);
  const wrong = [...sums].flatMap(([file, sum]) => {
    if (!existsSync(join(directory, file))) return [`${sumsName}: has ${file}, which is not there`];
    return sha256(readFileSync(join(directory, file))) === sum
      ? []
      : [`${sumsName}: ${file} is another file`];
  });
  return [...missing, ...wrong];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = resolve(process.argv[2] ?? fileURLToPath(new URL('../../prebuilds', import.meta.url)));
  writeChecksums(directory);
  console.log(`checksums: ${listFiles(directory).length} files in ${sumsName}`);
}
