// Cases of the kernels' fuzzer: files as libFuzzer has them, and text as the repository has them, a case a line in
// hexadecimal.
//   node checks/fuzz-kernels/cases.mjs unpack CASES.txt DIRECTORY
//   node checks/fuzz-kernels/cases.mjs pack DIRECTORY CASES.txt     shortest first; comments of CASES.txt stay, each with the
//                                                            case below it

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const linesOf = (path) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []);
const isComment = (line) => line.startsWith('#');

function unpack(path, directory) {
  mkdirSync(directory, { recursive: true });
  const cases = linesOf(path).filter((line) => !isComment(line));
  for (const hexadecimal of cases)
    writeFileSync(join(directory, hexadecimal.slice(0, 80)), Buffer.from(hexadecimal, 'hex'));
  return cases.length;
}

function pack(directory, path) {
  const kept = linesOf(path).filter(
    (line, i, lines) => isComment(line) || (i > 0 && isComment(lines[i - 1])),
  );
  const cases = readdirSync(directory).map((name) => readFileSync(join(directory, name)).toString('hex'));
  const others = [...new Set(cases)].filter(
    (hexadecimal) => hexadecimal !== '' && !kept.includes(hexadecimal),
  );
  others.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(path, [...kept, ...others, ''].join('\n'));
  return others.length;
}

const [command, from, to] = process.argv.slice(2);
const count = command === 'unpack' ? unpack(from, to) : pack(from, to);
console.log(`${from}: ${count} cases`);
