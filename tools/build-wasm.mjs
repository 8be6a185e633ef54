// Builds build/wasm/simd.wasm and relaxed.wasm, which `npm run build:ts` puts into dist, with clang and wasm-ld. The same
// sources and the same compiler make the same bytes. Without the two tools the package is built without them: JavaScript
// serves where they would have.
// With --optional a missing tool is no failure.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = join(root, 'build/wasm');
const stampFile = join(directory, 'sources.sha256');
const isOptional = process.argv.includes('--optional');

/** clang calls relaxed SIMD's instructions as it does from here on. */
const oldest = 16;
/** Of each module: what a page may have to fetch. */
const mostGzipped = 150_000;

const modules = { simd: [], relaxed: ['-mrelaxed-simd'] };
const sources = ['native/isa/wasm.cc', 'native/wasm/module.cc'];

const compilerFlags = [
  '--target=wasm32',
  '-std=c++17',
  // Loops as fast as with -O2 alone: it inlines what makes them large and no faster, too.
  ...['-O2', '-mllvm', '-inline-threshold=0'],
  ...['-msimd128', '-mbulk-memory', '-mnontrapping-fptoint', '-msign-ext'],
  // A fused multiply-add is one where the kernels say so.
  '-ffp-contract=off',
  // No C or C++ library: the little that kernels use of one is in native/wasm/include.
  ...['-ffreestanding', '-nostdinc++', '-isystem', 'native/wasm/include', '-fno-exceptions', '-fno-rtti'],
  ...['-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'],
];
const linkerFlags = [
  ...['--no-entry', '--export-memory', '--export=__heap_base', '--gc-sections', '--strip-all'],
  // Below everything else: a stack that overflows traps.
  ...['--stack-first', '-z', 'stack-size=524288'],
];

const runs = (program, ...args) => spawnSync(program, args, { cwd: root, encoding: 'utf8' });

/** The oldest that will do comes first: it is Debian 12's. */
function findTools() {
  for (const suffix of ['-16', '-17', '-18', '-19', '-20', '-21', '']) {
    const { stdout } = runs(`clang++${suffix}`, '--version');
    const [line = ''] = (stdout ?? '').split('\n');
    const version = Number(/version (\d+)/.exec(line)?.[1] ?? 0);
    if (version >= oldest && runs(`wasm-ld${suffix}`, '--version').status === 0)
      return { compiler: `clang++${suffix}`, linker: `wasm-ld${suffix}`, version: line };
  }
  return undefined;
}

function execute(program, ...args) {
  const { status, stdout, stderr, error } = runs(program, ...args);
  if (status === 0) return;
  throw new Error(`${program} failed\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`.trim());
}

/** Of all that the modules are made from. */
function stampOf(version) {
  const hash = createHash('sha256').update(version);
  const add = (path) => hash.update(path).update(readFileSync(join(root, path)));
  for (const folder of ['native/isa', 'native/kernels', 'native/vec', 'native/wasm'])
    for (const name of readdirSync(join(root, folder), { recursive: true }).sort())
      if (/\.(cc|h)$|^include.\w+$/.test(name)) add(join(folder, name));
  add('native/operations.h');
  add('tools/build-wasm.mjs');
  return hash.digest('hex');
}

/** A module is sections: a number, a length in LEB128, so many bytes. Number 2 has the imports. */
function hasImports(code) {
  for (let at = 8; at < code.length; ) {
    const section = code[at++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = code[at++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (section === 2) return true;
    at += length;
  }
  return false;
}

/** What is promised of a module; its size. */
function audit(name, code) {
  if (hasImports(code)) throw new Error(`${name}.wasm imports something`);
  const { length } = gzipSync(code, { level: 9 });
  if (length <= mostGzipped) return length;
  throw new Error(`${name}.wasm has ${length} bytes gzipped, more than ${mostGzipped}`);
}

function build({ compiler, linker }) {
  mkdirSync(directory, { recursive: true });
  for (const [name, flags] of Object.entries(modules)) {
    const start = performance.now();
    const objects = sources.map((source) => {
      const object = join(directory, `${name}-${source.replaceAll('/', '-')}.o`);
      execute(compiler, ...compilerFlags, ...flags, '-c', source, '-o', object);
      return object;
    });
    const path = join(directory, `${name}.wasm`);
    execute(linker, ...linkerFlags, ...objects, '-o', path);
    for (const object of objects) rmSync(object);
    const code = readFileSync(path);
    const seconds = Math.round((performance.now() - start) / 1000);
    const sizes = `${code.length} bytes, ${audit(name, code)} gzipped`;
    console.log(`wasm build: build/wasm/${name}.wasm, ${sizes} (${seconds} s)`);
  }
}

const isCurrent = (stamp) =>
  Object.keys(modules).every((name) => existsSync(join(directory, `${name}.wasm`))) &&
  existsSync(stampFile) &&
  readFileSync(stampFile, 'utf8') === stamp;

const tools = findTools();
if (tools === undefined) {
  // Stale modules would hide that.
  rmSync(directory, { recursive: true, force: true });
  console.error(
    `wasm build: no clang and lld ${oldest} or later (Debian: apt-get install clang-16 lld-16): ` +
      'the package is built without WebAssembly, and JavaScript serves where it would',
  );
  process.exitCode = isOptional ? 0 : 1;
} else {
  const stamp = stampOf(tools.version);
  if (isCurrent(stamp)) console.log('wasm build: build/wasm is up to date');
  else {
    rmSync(directory, { recursive: true, force: true });
    console.log(`wasm build: compiling with ${tools.version}, which takes about two minutes`);
    try {
      build(tools);
      writeFileSync(stampFile, stamp);
    } catch (error) {
      console.error(`wasm build: failed. ${error.message}`);
      process.exitCode = 1;
    }
  }
}
