// checks/symbols.mjs on objects of every format.

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type Compiler, compile, gcc, hasZig, newDirectory, zig } from './binaries.js';

const sound = `
#include <string.h>
struct Table { void (*set)(void*); };
static void set(void* to) { memset(to, 0, 4096); }
extern const struct Table softmax_kernels_avx2;
__attribute__((visibility("hidden"))) const struct Table softmax_kernels_avx2 = {set};
`;

/** What is said of an object with that code, and whether it is the last word. */
function check(compiler: Compiler, code: string, output = 'avx2.cc.o'): string[] {
  const directory = newDirectory();
  const object = `${directory}/linux-x64/CMakeFiles/kernels_avx2.dir/native/isa/${output}`;
  compile({ ...compiler, flags: ['-O1', '-c', '-ffreestanding'] }, object, { source: () => sound + code });
  const { status, stdout, stderr } = spawnSync('node', ['checks/symbols.mjs', directory], {
    encoding: 'utf8',
  });
  expect(stdout).toBe(`symbols: 1 ISA objects export their table alone: ${status === 0 ? 'yes' : 'no'}\n`);
  const lines = stderr.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.replace(/^symbols: .* has /, ''));
}

const compilers: [string, Compiler, string, string][] = [
  ['ELF', gcc, '', 'avx2.cc.o'],
  ...(hasZig
    ? ([
        ['COFF', zig('x86_64-windows-gnu'), '', 'avx2.cc.obj'],
        // Objects: what is done to linked files has no place in them.
        ['Mach-O', { ...zig('aarch64-macos'), finish: undefined }, '_', 'avx2.cc.o'],
      ] as [string, Compiler, string, string][])
    : []),
];

describe.each(compilers)('%s', (_, compiler, prefix, output) => {
  const typesOf = (code: string) => check(compiler, code, output).map((line) => line.replace(/^\S /, ''));

  it('a table, memset and static functions', () => {
    expect(check(compiler, '', output)).toEqual([]);
  });

  it('a weak function', () => {
    expect(typesOf('__attribute__((weak)) int shared(void) { return 1; }')).toContain(`${prefix}shared`);
  });

  it('a function or a variable that others see', () => {
    expect(check(compiler, 'int shared(void) { return 1; }', output)).toEqual([`T ${prefix}shared`]);
    expect(typesOf('int shared = 1;')).toEqual([`${prefix}shared`]);
  });

  it('a function of others', () => {
    expect(
      check(
        compiler,
        'float expf(float); static float both(void) __attribute__((used)); static float both(void) { return expf(1.5f); }',
        output,
      ),
    ).toEqual([`U ${prefix}expf`]);
  });
});

it('no table, no objects', () => {
  const directory = newDirectory();
  compile({ ...gcc, flags: ['-c'] }, `${directory}/obj.target/kernels_avx2/native/isa/avx2.o`, {
    source: () => 'static int here = 1; int* volatile softmax_kernels_neon = &here;',
  });
  const run = (...args: string[]) => spawnSync('node', ['checks/symbols.mjs', ...args], { encoding: 'utf8' });
  expect(run(directory).stderr).toMatch(/avx2\.o has no table\n.*avx2\.o has D softmax_kernels_neon\n$/);
  expect(run(newDirectory()).stdout).toBe('symbols: 0 ISA objects export their table alone: no\n');
  expect(run(newDirectory()).status).toBe(1);
});
