// What a system may answer that this one does not: each answer is put in the place of this one's.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Failure, ofFile, reasonOf, withFile } from '../../src/cli/failures.js';
import { cli, dataBytes, dictText, environment, Folder, headerBytes } from '../helpers/npy.js';
import { preload, replace, root } from '../helpers/processes.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

const write = (name = 'x.npy') =>
  folder.write(name, headerBytes(dictText('<f4', [2, 2])), dataBytes('<f4', new Float32Array(4)));
const js = { SOFTMAX_BACKEND: 'js' };
const halves = Buffer.concat([
  headerBytes(dictText('<f4', [2, 2])),
  dataBytes('<f4', new Float32Array(4).fill(0.5)),
]);
/** Functions of node:fs; `fail(code)` throws as they do. */
const files = (functions: string) =>
  replace(
    'node:fs',
    functions.replaceAll(
      /fail\((\w+)\)/g,
      "{ throw Object.assign(new Error('no'), { code: '$1', syscall: 'some' }); }",
    ),
  );

function expectFailure(flags: readonly string[], message: string, words: readonly string[] = []): void {
  const file = write();
  const before = folder.names();
  const outcome = cli(['apply', file, ...words], js, flags);
  expect(outcome).toEqual({ status: 1, stdout: '', stderr: `softmax-native: ${message}\n` });
  expect(folder.names()).toEqual(before);
}

describe('files', () => {
  const output = folder.at('x.softmax.npy');

  it('the device fails while the header is read', () => {
    const reason = 'the device reports an error (EIO)';
    expectFailure(files('{ readSync() fail(EIO) }'), `${folder.at('x.npy')}: it can't be read: ${reason}`);
  });

  it('a file system without links: the file is renamed', () => {
    const file = write();
    expect(cli(['apply', file], {}, files('{ linkSync() fail(EPERM) }'))).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(folder.names()).toEqual(['x.npy', 'x.softmax.npy']);
    expect(folder.read('x.softmax.npy').equals(halves)).toBe(true);
  });

  it('a file that came into being meanwhile is not replaced', () => {
    const flags = files('{ fsyncSync() { original.writeFileSync(process.env.OUTPUT, "new"); } }');
    const outcome = cli(['apply', write()], { OUTPUT: output }, flags);
    const stderr = `softmax-native: ${output}: it exists; --force replaces it\n`;
    expect(outcome).toEqual({ status: 1, stdout: '', stderr });
    expect(folder.names()).toEqual(['x.npy', 'x.softmax.npy']);
    expect(folder.read('x.softmax.npy').toString()).toBe('new');
  });

  it('it can not be renamed', () => {
    const flags = files('{ renameSync() fail(EROFS) }');
    expectFailure(flags, `${output}: it can't be written: the file system is read-only`, ['--force']);
  });

  it('what was written can not be removed', () => {
    const outcome = cli(['apply', write()], {}, files('{ fsyncSync() fail(EIO), unlinkSync() fail(EPERM) }'));
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    const [first, second, ...rest] = outcome.stderr.split('\n');
    expect(first).toMatch(/\/\.x\.softmax\.npy\.[0-9a-f]{12}\.tmp: it can't be removed: not permitted$/);
    const reason = "it can't be written: the device reports an error (EIO)";
    expect([second, ...rest]).toEqual([`softmax-native: ${output}: ${reason}`, '']);
  });

  it('the process exits meanwhile', () => {
    const outcome = cli(['apply', write()], {}, files('{ fsyncSync() { process.exit(3); } }'));
    expect(outcome).toEqual({ status: 3, stdout: '', stderr: '' });
    expect(folder.names()).toEqual(['x.npy']);
  });

  it('there is no memory', () => {
    const flags = preload(`const Memory = ArrayBuffer;
      globalThis.ArrayBuffer = class extends Memory {
        constructor(size) { if (size === 16) throw new RangeError('Array buffer allocation failed'); super(size); }
      };`);
    expectFailure(flags, 'there is no memory for a block of 16 bytes: give less by --memory');
  });
});

it('reasons that have no words here', () => {
  expect(reasonOf({ code: 'ENOSPC', message: 'x' })).toBe('no space is left on the device');
  expect(reasonOf({ code: 'EODD', message: 'odd' })).toBe('odd');
  expect(reasonOf(new Error('plain'))).toBe('plain');
  expect(reasonOf('text')).toBe('text');
});

it('errors of the program itself are not taken for failures', () => {
  const fail = () => {
    throw new TypeError('undefined is not a function');
  };
  expect(() => withFile('x', 'no', fail)).toThrow(new TypeError('undefined is not a function'));
  expect(() => ofFile('x', fail)).toThrow(new TypeError('undefined is not a function'));
  const error = expect.objectContaining({ name: 'Failure', message: 'a\\x0a: no' });
  expect(() =>
    ofFile('a\n', () => {
      throw new Failure('no');
    }),
  ).toThrow(error);
  const stringify = (thrown: string) =>
    preload(`const { stringify } = JSON;
      JSON.stringify = (value, ...rest) => { if (value.backend) throw ${thrown}; return stringify(value, ...rest); };`);
  const outcome = cli(['info', '--json'], {}, stringify("new TypeError('broken')"));
  expect(outcome).toMatchObject({ status: 1, stdout: '' });
  expect(outcome.stderr).toMatch(/^softmax-native: TypeError: broken\n {4}at /);
  expect(cli(['info', '--json'], {}, stringify("'text'")).stderr).toBe('softmax-native: text\n');
});

describe('info', () => {
  const told = (flags: string[]) => JSON.parse(cli(['info', '--json'], js, flags).stdout);
  const cpuinfo = (text: string) =>
    files(`{ readFileSync(file, ...rest) {
    if (file !== '/proc/cpuinfo') return original.readFileSync(file, ...rest);
    ${text} } }`);

  it('a system that lists no CPUs', () => {
    expect(told(replace('node:os', '{ cpus: () => [] }')).cpu).toBe('unknown');
  });

  it('flags of Linux', () => {
    const flags = cpuinfo(
      "return 'processor\\t: 0\\nflags\\t\\t: fpu avx2 sse4_2 fma lahf_lm\\nbugs\\t: \\n';",
    );
    expect(told(flags).simd).toEqual(['avx2', 'fma', 'sse4_2']);
    expect(told(cpuinfo("return 'processor : 0\\n';")).simd).toEqual([]);
    const none = cpuinfo('fail(ENOENT)');
    expect(told(none).simd).toEqual([]);
    expect(cli(['info'], js, none).stdout).toMatch(/^simd {12}not known$/m);
  });

  it('an ARM', () => {
    const flags = preload("Object.defineProperty(process, 'arch', { value: 'arm64' });");
    expect(told(flags)).toMatchObject({ arch: 'arm64', simd: ['neon'] });
  });
});

describe('bench', () => {
  it('native code that is slower and gives other bits', () => {
    const directory = mkdtempSync(join(tmpdir(), 'softmax-cli-'));
    try {
      cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true });
      cpSync(join(root, 'package.json'), join(directory, 'package.json'));
      writeFileSync(
        join(directory, 'dist/native.mjs'),
        `import * as js from './js.mjs';
        const wait = (time) => { for (const end = performance.now() + time; performance.now() < end;); };
        export const backend = { ...js.backend, kind: 'native', isa: 'scalar' };
        export const getThreads = () => 1;
        export const crossEntropy = js.crossEntropy;
        export const softmax = (logits, options) => {
          wait(20);
          const out = js.softmax(logits, options);
          if (logits.length === 1000) out[999] = 2;
          return out;
        };`,
      );
      // A clock of its own: the machine's other work does not count, and the time that is usual is short.
      const clock = preload('let time = 0; performance.now = () => (time += 100);');
      const words = [...clock, join(directory, 'dist/cli.mjs'), 'bench'];
      const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', env: environment() });
      expect(status).toBe(1);
      expect(stdout).toContain('native: scalar, 1 thread;');
      expect(stdout).toMatch(/^softmax 1×1000\n {2}native .* {2}JavaScript is faster$/m);
      const last = 'Native code and JavaScript gave different bits: softmax 1×1000';
      expect(stdout.trimEnd().split('\n').at(-1)).toBe(last);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('on native code, as text', () => {
    const { status, stdout, stderr } = cli(['bench', '--quick'], { SOFTMAX_THREADS: '3' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^.+, Node \d+\.\d+\.\d+; native: \w+, 3 threads; float32, medians of calls$/m);
    expect(stdout.match(/^ {2}native .* times as fast$|^ {2}native .* JavaScript is faster$/gm)).toHaveLength(
      8,
    );
    expect(stdout.endsWith('\nNative code and JavaScript gave the same bits.\n')).toBe(true);
  });
});
