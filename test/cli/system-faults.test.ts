// What a system may answer that this one does not: each answer is put in the place of this one's.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Failure, ofFile, reasonOf, withFile } from '../../src/cli/failures.js';
import { cli, dataBytes, dictText, Folder, headerBytes } from '../helpers/npy.js';
import { preload, replace } from '../helpers/processes.js';

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
    const stderr = `softmax-native: ${output}: it exists: --force replaces it\n`;
    expect(outcome).toEqual({ status: 1, stdout: '', stderr });
    expect(folder.names()).toEqual(['x.npy', 'x.softmax.npy']);
    expect(folder.read('x.softmax.npy').toString()).toBe('new');
  });

  it('a directory that may be written but not listed', () => {
    expect(cli(['apply', write()], {}, files('{ readdirSync() fail(EACCES) }'))).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(folder.read('x.softmax.npy').equals(halves)).toBe(true);
  });

  it('it can not be renamed', () => {
    const flags = files('{ renameSync() fail(EROFS) }');
    expectFailure(flags, `${output}: it can't be written: the file system is read-only`, ['--force']);
  });

  it('what was written can not be removed', () => {
    const outcome = cli(['apply', write()], {}, files('{ fsyncSync() fail(EIO), unlinkSync() fail(EPERM) }'));
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    const [first, second, ...rest] = outcome.stderr.split('\n');
    expect(first).toMatch(
      /\/\.x\.softmax\.npy\.[0-9a-f]{8}-\d+-[0-9a-f]{8}\.tmp: it can't be removed: not permitted$/,
    );
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
    expectFailure(flags, 'there is no memory for a block of 16 bytes: give a smaller --memory');
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
