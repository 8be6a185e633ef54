// Checks (or with --fix applies) clang-format to every C++ file.
import { execFileSync, spawnSync } from 'node:child_process';

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'native'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(cc|h)$/.test(file));
const mode = process.argv.includes('--fix') ? ['-i'] : ['--dry-run', '--Werror'];
const { status, error } = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (error)
  console.error(`clang-format could not be run (${error.message}); Debian: apt-get install clang-format`);
else if (status === 0) console.log(`clang-format: ${files.length} files are as they should be`);
process.exitCode = status ?? 1;
