// Why native code does not serve: each way the package can be broken, used or run, in a process of its own.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { version } from '../../src/version.js';
import { binary, load, otherTier, preload, probabilities, root, run } from '../helpers/processes.js';

const platform = `${process.platform}-${process.arch}`;
const isLinux = process.platform === 'linux';
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'softmax-native-')));
const installed = join(directory, 'node_modules/softmax-native');
const entry = join(installed, 'dist/index.mjs');
const prebuild = join(installed, 'prebuilds', platform, 'softmax-native.node');
const whole = readFileSync(join(root, binary));
const again = 'remove softmax-native from node_modules and install it again';
const prefix = "the native backend can't be used: ";
const serves = otherTier === 'wasm' ? 'WebAssembly' : 'JavaScript';
const warning = `SoftmaxNativeWarning | SOFTMAX_NATIVE_FALLBACK | ${serves} serves, same bits but slower: `;
const nor = otherTier === 'wasm' ? '' : '. Nor can WebAssembly: ';

beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(prebuild, '..'), { recursive: true });
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  writeFileSync(prebuild, whole);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** WebAssembly or JavaScript must serve, with that reason, and say so unasked or not. */
function expectFallback(reason: string, warns: boolean, flags: string[] = [], file = entry) {
  const { backend, result, warnings } = load(file, {}, flags);
  expect(backend).toMatchObject({ kind: otherTier, path: null });
  expect(backend?.reason.startsWith(prefix + reason + nor)).toBe(true);
  expect(reason).not.toContain('\n');
  expect(result).toEqual(probabilities);
  expect(warnings).toEqual(warns ? [warning + reason] : []);
}

const addonIs = (code: string) =>
  preload(`import module from 'node:module'; module._extensions['.node'] = (module, path) => { ${code} };`);

it('the prebuilt binary serves', () => {
  const { backend, result, warnings } = load(entry);
  expect(backend).toMatchObject({ kind: 'native', path: prebuild });
  expect(result).toEqual(probabilities);
  expect(warnings).toEqual([]);
});

describe('the file', () => {
  it('is missing', () => {
    rmSync(prebuild);
    const reason = `${prebuild} is missing; was the package copied without its prebuilds? ${again}`;
    expectFallback(reason, true);
  });

  it('is missing from a folder that Next.js gathered', () => {
    const gathered = join(directory, '.next/standalone/node_modules/softmax-native');
    for (const part of ['dist', 'package.json'])
      cpSync(join(installed, part), join(gathered, part), { recursive: true });
    const missing = `${join(gathered, 'prebuilds', platform, 'softmax-native.node')} is missing`;
    const option = "outputFileTracingIncludes: { '/**': ['./node_modules/softmax-native/prebuilds/**'] }";
    const reason = `${missing}; have Next.js copy it: ${option}`;
    for (const file of ['index.mjs', 'index.cjs'])
      expectFallback(reason, true, [], join(gathered, 'dist', file));
  });

  it('is missing: the native entry, SOFTMAX_BACKEND=native and SOFTMAX_ISA throw with the cause', () => {
    rmSync(prebuild);
    for (const { error } of [
      load(join(installed, 'dist/native.mjs')),
      load(entry, { SOFTMAX_BACKEND: 'native' }),
      load(entry, { SOFTMAX_ISA: 'scalar' }),
    ]) {
      expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_BACKEND' });
      expect(error?.message).toContain(`${prefix}${prebuild} is missing; `);
      expect(error?.cause).toContain(`LoadError: ${prebuild} is missing; `);
    }
  });

  it.runIf(isLinux)('is cut short, anywhere', () => {
    const pages = Array.from({ length: 12 }, (_, i) => 4096 * Math.floor((whole.length * i) / 12 / 4096));
    for (const length of [0, 1, 63, 64, 624, 4095, ...pages.slice(1), whole.length - 1]) {
      writeFileSync(prebuild, whole.subarray(0, length));
      const happened =
        length < 64
          ? `${prebuild} is no addon: cut short or overwritten`
          : `${prebuild} is cut short: ${length} bytes of ${whole.length}`;
      expectFallback(`${happened}; ${again}`, true);
    }
  });

  it('is text', () => {
    writeFileSync(prebuild, 'version https://git-lfs.github.com/spec/v1\n'.repeat(20));
    expectFallback(`${prebuild} is no addon: cut short or overwritten; ${again}`, true);
  });

  it.runIf(isLinux)('is for another processor, or another system', () => {
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    const copied = `were its files copied from another machine? ${again}`;
    const elf = Buffer.from(whole);
    elf.writeUInt16LE(other === 'arm64' ? 183 : 62, 18);
    writeFileSync(prebuild, elf);
    expectFallback(`${prebuild} is for linux-${other}, and this is ${platform}; ${copied}`, true);
    const mach = Buffer.alloc(4096);
    mach.writeUInt32BE(0xcffaedfe);
    mach.writeUInt32LE(0x0100000c, 4);
    writeFileSync(prebuild, mach);
    expectFallback(`${prebuild} is for darwin-arm64, and this is ${platform}; ${copied}`, true);
    const pe = Buffer.alloc(4096);
    pe.write('MZ');
    pe.writeUInt32LE(128, 60);
    pe.write('PE\0\0', 128);
    pe.writeUInt16LE(0x8664, 132);
    writeFileSync(prebuild, pe);
    expectFallback(`${prebuild} is for win32-x64, and this is ${platform}; ${copied}`, true);
  });

  it('is a directory', () => {
    rmSync(prebuild);
    mkdirSync(prebuild);
    const { backend, warnings } = load(entry);
    expect(backend?.reason).toContain(`${prefix}can't read ${prebuild} (EISDIR`);
    expect(backend?.reason).toMatch(/; make it readable(\. Nor can WebAssembly: .*)?$/);
    expect(warnings).toHaveLength(1);
  });

  it('has the interface of another release', () => {
    const happened = `${prebuild} is of another release: it has interface version 4, not `;
    const { backend, warnings } = load(entry, {}, addonIs('module.exports = { interfaceVersion: 4 };'));
    expect(backend?.reason).toMatch(/interface version 4, not \d+; remove softmax-native/);
    expect(backend?.reason).toContain(happened);
    expect(warnings).toHaveLength(1);
  });

  it('is refused by the system', () => {
    const says = (message: string) =>
      addonIs(`throw Object.assign(new Error(${JSON.stringify(message)}), { code: 'ERR_DLOPEN_FAILED' });`);
    const glibc = "/lib/libc.so.6: version `GLIBC_2.99' not found (required by softmax-native.node)";
    const update = 'it needs glibc 2.28 or later: update the system';
    expectFallback(`${prebuild} does not load: ${glibc}; ${update}`, true, says(glibc));
    const noexec = 'failed to map segment from shared object';
    const asked = 'is its file system mounted noexec?';
    expectFallback(
      `${prebuild} does not load: ${noexec}; ${asked}`,
      true,
      says(`${prebuild}: ${noexec}\nand more`),
    );
    expectFallback(`${prebuild} does not load: other; ${again}`, true, says('other'));
  });

  it('is of a package with another version than the code', () => {
    expect(version).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  });
});

describe('the process', () => {
  const permission =
    Number(process.versions.node.split('.')[0]) < 22 ? '--experimental-permission' : '--permission';

  it('has a platform without a prebuilt binary', () => {
    const reason =
      'there is no prebuilt binary for freebsd-riscv64, only for linux-x64, linux-arm64, win32-x64, win32-arm64, ' +
      'darwin-x64, darwin-arm64; JavaScript computes the same bits, slower';
    const code = `for (const [name, value] of [['platform', 'freebsd'], ['arch', 'riscv64']])
      Object.defineProperty(process, name, { value });`;
    expectFallback(reason, false, preload(code));
  });

  it('has a Node-API that is too old', () => {
    const code = "Object.defineProperty(process, 'versions', { value: { ...process.versions, napi: '7' } });";
    expectFallback('this runtime has Node-API 7, version 8 is needed; use a newer one', true, preload(code));
  });

  it('was told not to load addons', () => {
    expectFallback('addons are disabled by --no-addons; run without it', false, ['--no-addons']);
    const flags = [permission, '--allow-fs-read=*'];
    expectFallback("Node's permission model forbids addons; run with --allow-addons", false, flags);
    const { error } = load(entry, { SOFTMAX_BACKEND: 'native' }, ['--no-addons']);
    expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_BACKEND' });
    expect(error?.cause).toBe('LoadError: addons are disabled by --no-addons; run without it');
  });

  it('may load addons, but not read the file', () => {
    const allowed = ['dist/*', 'package.json'].map((path) => `--allow-fs-read=${join(installed, path)}`);
    const reason = `Node's permission model forbids reading ${prebuild}; run with --allow-addons and --allow-fs-read=${prebuild}`;
    const flags = [permission, '--allow-addons', ...allowed];
    expectFallback(reason, false, flags);
    expect(load(entry, {}, [...flags, `--allow-fs-read=${prebuild}`]).backend?.kind).toBe('native');
  });

  it('is told once: not by its other copy, not by a worker', () => {
    rmSync(prebuild);
    const program = join(directory, 'program.mjs');
    writeFileSync(
      program,
      `import { createRequire } from 'node:module';
      import { isMainThread, parentPort, Worker } from 'node:worker_threads';
      const said = [];
      process.on('warning', ({ code }) => said.push(code));
      await import('softmax-native');
      createRequire(import.meta.url)('softmax-native');
      await new Promise(setImmediate);
      if (isMainThread)
        new Worker(new URL(import.meta.url), { execArgv: [] }).once('message', (inWorker) => console.log(JSON.stringify([said, inWorker])));
      else parentPort.postMessage(said);`,
    );
    expect(run(`await import(${JSON.stringify(program)})`)).toEqual([['SOFTMAX_NATIVE_FALLBACK'], []]);
  });
});

describe('the code', () => {
  it('is in a clone without a build', () => {
    rmSync(prebuild);
    writeFileSync(join(installed, 'binding.gyp'), '{}');
    const development = join(installed, binary);
    const remedy = 'npm run build:native builds it';
    expectFallback(`there is no native build at ${development}; ${remedy}`, false);
    mkdirSync(join(development, '..'), { recursive: true });
    writeFileSync(development, 'no shared library');
    expectFallback(`${development} is no addon: cut short or overwritten; ${remedy}`, true);
    writeFileSync(development, whole);
    expect(load(entry).backend).toMatchObject({ kind: 'native', path: development });
  });

  it('is bundled into a program that has a recipe of its own', () => {
    cpSync(join(root, 'dist'), join(directory, 'app'), { recursive: true });
    writeFileSync(join(directory, 'binding.gyp'), '{}');
    writeFileSync(join(directory, 'package.json'), '{ "name": "program", "version": "1.0.0" }');
    expect(load(join(directory, 'app/index.mjs')).backend).toMatchObject({ kind: 'native', path: prebuild });
  });

  it('is bundled: it finds the package, the same version only, or a copy of its prebuilds', () => {
    cpSync(join(root, 'dist'), join(directory, 'app'), { recursive: true });
    const bundle = join(directory, 'app/index.mjs');
    expect(load(bundle).backend).toMatchObject({ kind: 'native', path: prebuild });
    const manifest = readFileSync(join(installed, 'package.json'), 'utf8');
    writeFileSync(join(installed, 'package.json'), manifest.replace(`"${version}"`, '"0.0.1"'));
    const { backend, warnings } = load(bundle);
    const [reason] = `${backend?.reason}`
      .replace(/app\/[^ ]*\.mjs/, 'app/….mjs')
      .split('. Nor can WebAssembly: ');
    expect(reason).toBe(
      `${prefix}softmax-native is bundled into ${directory}/app/….mjs, which finds no native code; ` +
        `mark softmax-native as external, or copy its folder prebuilds to ${directory}/prebuilds`,
    );
    expect(warnings).toHaveLength(1);
    cpSync(join(installed, 'prebuilds'), join(directory, 'prebuilds'), { recursive: true });
    const copy = join(directory, 'prebuilds', platform, 'softmax-native.node');
    expect(load(bundle).backend).toMatchObject({ kind: 'native', path: copy });
  });
});
