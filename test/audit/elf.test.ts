// Each promise of a Linux binary, broken once.

import { expect, it } from 'vitest';
import { type Change, compile, faultsOf, gcc, gccArm64, has, newDirectory } from './binaries.js';

const platform = `linux-${process.arch}`;
const compiler = process.arch === 'arm64' ? { ...gccArm64, command: gcc.command } : gcc;
const exported = '__attribute__((visibility("default"))) ';
const text = (content: string) =>
  `const char* volatile text; void use(void) __attribute__((constructor)); void use(void) { text = "${content}"; }`;

it('a sound binary has no faults', () => {
  expect(faultsOf(platform, compiler)).toEqual([]);
});

it('libm may be needed', () => {
  expect(faultsOf(platform, compiler, { add: ['-Wl,--no-as-needed', '-lm'] })).toEqual([]);
});

/** Leaves out the word of the linker on the stack: then it is executable. */
const forgetStack = (bytes: Buffer) => {
  const gnuStack = Buffer.from('51e57464', 'hex');
  bytes.writeUInt32LE(0x6fffffff, bytes.indexOf(gnuStack, 64));
};

const faulty: [fault: string, change: Change][] = [
  ['exports extra', { code: `${exported}int extra(void) { return 1; }` }],
  ['exports extra', { code: `${exported}__attribute__((weak)) int extra(void) { return 1; }` }],
  [
    'exports a, b, c and 2 more',
    { code: [...'abcde'].map((name) => `${exported}int ${name} = 1;`).join('\n') },
  ],
  [
    'does not export node_api_module_get_api_version_v1',
    { source: (sound) => sound.replace(/EXPORT int .*\n/, '') },
  ],
  ['is not stripped: it has .strtab, .symtab', { remove: ['-s'] }],
  ['has no RELRO', { remove: ['-Wl,-z,relro'], add: ['-Wl,-z,norelro'] }],
  ['binds functions when they are called', { remove: ['-Wl,-z,now'], add: ['-Wl,-z,lazy'] }],
  ['can be unloaded: it is not marked NODELETE', { remove: ['-Wl,-z,nodelete'] }],
  ['asks for an executable stack', { remove: ['-Wl,-z,noexecstack'], add: ['-Wl,-z,execstack'] }],
  ['asks for an executable stack', { patch: forgetStack }],
  ['has memory that is writable and executable', { code: 'asm(".section .both,\\"awx\\"\\n.quad 0");' }],
  ['relocates its code: TEXTREL', { code: 'asm(".quad malloc");', add: ['-Wl,-z,notext'] }],
  ['has a search path for libraries', { add: ['-Wl,-rpath,/nowhere'] }],
  [
    'is not aligned to pages of 4 KiB',
    { add: ['-Wl,-z,max-page-size=2048', '-Wl,-z,common-page-size=2048'] },
  ],
  [
    'imports getentropy, not in checks/audit/libc-symbols.txt',
    { code: 'int getentropy(void*, unsigned long); void use(void) { getentropy(0, 0); }' },
  ],
  [
    'imports getentropy, not in checks/audit/libc-symbols.txt',
    {
      code: '__attribute__((weak)) int getentropy(void*, unsigned long); void use(void) { getentropy(0, 0); }',
    },
  ],
  [
    'imports pthread_create of GLIBC_2.34, newer than GLIBC_2.28',
    {
      code: 'int pthread_create(void*, void*, void*, void*); void use(void) { pthread_create(0, 0, 0, 0); }',
    },
  ],
  [
    'imports node_api_create_syntax_error, not of Node-API 8',
    { code: 'int node_api_create_syntax_error(void); void use(void) { node_api_create_syntax_error(); }' },
  ],
  [
    'has a path of the machine that built it: /home/someone/native/kernels/exp.h',
    { code: text('/home/someone/native/kernels/exp.h') },
  ],
  ['has a path of the machine that built it: runtime/pool.cc', { code: text('runtime/pool.cc') }],
  ['has a path of the machine that built it: C:\\src\\pool', { code: text('C:\\\\src\\\\pool') }],
];

it.each(faulty)('%s', (fault, change) => {
  expect(faultsOf(platform, compiler, change)).toEqual([fault]);
});

it('a foreign library', () => {
  const directory = newDirectory();
  compile(compiler, `${directory}/libforeign.so`, { add: ['-Wl,-soname,libforeign.so'] });
  const faults = faultsOf(platform, compiler, { add: ['-Wl,--no-as-needed', `${directory}/libforeign.so`] });
  expect(faults).toEqual(['needs the library libforeign.so']);
});

it('debug information', () => {
  const [fault, ...others] = faultsOf(platform, compiler, { remove: ['-s'], add: ['-g'] });
  expect(others.filter((other) => !other.startsWith('has a path'))).toEqual([]);
  expect(fault).toMatch(/^is not stripped: it has \.debug_abbrev, /);
});

it('a program, and an object', () => {
  const main = { remove: ['-shared', '-fPIC'], add: ['-no-pie', '-Wl,--unresolved-symbols=ignore-all'] };
  expect(faultsOf(platform, compiler, { ...main, code: 'int main(void) { return 0; }' })).toContain(
    'is not a 64-bit library',
  );
  expect(faultsOf(platform, compiler, { remove: ['-shared'], add: ['-c'] })).toContain(
    'is not a 64-bit library',
  );
});

it('a binary of another machine, and of another system', () => {
  const [here, there] = process.arch === 'arm64' ? ['0xb7', '0x3e'] : ['0x3e', '0xb7'];
  const other = process.arch === 'arm64' ? 'linux-x64' : 'linux-arm64';
  expect(faultsOf(other, compiler)).toEqual([`is for machine ${here}, not ${there}`]);
  expect(faultsOf('win32-x64', compiler)).toEqual(['is ELF, not PE']);
  expect(faultsOf('darwin-arm64', compiler)).toEqual(['is ELF, not Mach-O']);
});

// Systems of ARM have pages of 4, 16 or 64 KiB. Debian: gcc-aarch64-linux-gnu.
it.skipIf(process.arch === 'arm64' || !has('aarch64-linux-gnu-gcc'))('pages of 64 KiB', () => {
  expect(faultsOf('linux-arm64', gccArm64)).toEqual([]);
  const change = { remove: ['-Wl,-z,max-page-size=65536'], add: ['-Wl,-z,max-page-size=4096'] };
  expect(faultsOf('linux-arm64', gccArm64, change)).toEqual(['is not aligned to pages of 64 KiB']);
});
