// An object compiled for one ISA may export its table and nothing else. A weak symbol in it (an inline function, a
// template) could be the copy that the linker keeps for everybody: SIGILL on a CPU without that ISA.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { variants } = JSON.parse(readFileSync(`${root}native/variants.json`, 'utf8'));

let checked = 0;
let problems = 0;
for (const [isa, { source }] of Object.entries(variants)) {
  const object = `build/Release/obj.target/kernels_${isa}/native/${source.replace(/\.cc$/, '.o')}`;
  if (!existsSync(root + object)) continue;
  checked++;
  const symbols = execFileSync('nm', [object], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(-2))
    .filter(([type, name]) => name !== undefined && /^[A-Zuvw]$/.test(type));
  for (const [type, name] of symbols) {
    const isTable = name === `softmax_kernels_${isa}`;
    // Memory functions that the compiler calls by itself.
    const isRuntime =
      type === 'U' &&
      ['memset', 'memcpy', 'memmove', '__stack_chk_fail', '_GLOBAL_OFFSET_TABLE_'].includes(name);
    if (isTable || isRuntime) continue;
    problems++;
    console.error(`symbols: ${object} has ${type} ${name}`);
  }
}
console.log(`symbols: ${checked} ISA objects export their table alone: ${problems === 0 ? 'yes' : 'no'}`);
process.exitCode = checked > 0 && problems === 0 ? 0 : 1;
