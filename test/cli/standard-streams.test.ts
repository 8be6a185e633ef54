// '-': a .npy file from standard input, one to standard output, and nothing else there.

import { type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cli, cliPath, dataBytes, dictText, environment, Folder, headerBytes } from '../helpers/npy.js';
import { replace } from '../helpers/processes.js';
import { Random } from '../helpers/random.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

/** Of several pipe buffers, with bytes that are no text. */
const shape = [300, 1000];
const logits = new Random(20261129).normals(300_000, 3);
const npy = Buffer.concat([headerBytes(dictText('<f4', shape)), dataBytes('<f4', logits)]);

interface Outcome {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Temporary files would be in the folder, too. */
const options = (extra: SpawnSyncOptions = {}) => ({
  env: environment({ TMPDIR: folder.path }),
  maxBuffer: 1e8,
  timeout: 100_000,
  ...extra,
});

function run(words: readonly string[], input: Uint8Array, flags: readonly string[] = []): Outcome {
  const all = [...flags, cliPath, 'apply', ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, options({ input }));
  return { status, stdout: stdout as Buffer, stderr: String(stderr) };
}

/** In a shell: `$0` is Node.js, `$1` the program, `$2` x.npy. */
function shell(script: string): Outcome {
  const words = ['-c', script, process.execPath, cliPath, folder.at('x.npy')];
  const { status, stdout, stderr } = spawnSync('bash', words, options());
  return { status, stdout: stdout as Buffer, stderr: String(stderr) };
}

/** What the file form writes for x.npy, which stays. */
function expectedBytes(words: readonly string[] = []): Buffer {
  folder.write('x.npy', npy);
  expect(cli(['apply', folder.at('x.npy'), '--output', folder.at('y.npy'), ...words]).status).toBe(0);
  const bytes = folder.read('y.npy');
  folder.empty();
  folder.write('x.npy', npy);
  return bytes;
}

function expectResult({ status, stdout, stderr }: Outcome, expected: Buffer): void {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.equals(expected)).toBe(true);
  expect(folder.names()).toEqual(['x.npy']);
}

function expectFailure({ status, stdout, stderr }: Outcome, message: string): void {
  expect({ status, stdout: stdout.length, stderr }).toEqual({
    status: 1,
    stdout: 0,
    stderr: `softmax-native: ${message}\n`,
  });
}

describe('the bits of the file form', () => {
  it('through pipes', () => {
    const expected = expectedBytes();
    expectResult(run(['-'], npy), expected);
    expectResult(run(['-', '--output', '-'], npy), expected);
  });

  it('columns in little memory, which are not in the order of the pipe', () => {
    const words = ['--axis', '0', '--memory', '0.1'];
    expectResult(run(['-', ...words], npy), expectedBytes(words));
  });

  it('/dev/stdin and redirected files, and no stray file', () => {
    const expected = expectedBytes();
    expectResult(shell('"$0" "$1" apply /dev/stdin < "$2"'), expected);
    expectResult(shell('cat "$2" | "$0" "$1" apply /dev/stdin | cat'), expected);
    expectResult(shell('"$0" "$1" apply - < "$2"'), expected);
    expectResult(shell('"$0" "$1" apply <(cat "$2")'), expected);
  });

  it("'-' on one side alone", () => {
    const expected = expectedBytes();
    expectResult(run([folder.at('x.npy'), '--output', '-'], Buffer.alloc(0)), expected);
    expectResult(run([folder.at('x.npy'), '--output', '/dev/stdout'], Buffer.alloc(0)), expected);
    const { status, stdout, stderr } = run(['-', '--output', folder.at('z.npy')], npy);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(String(stdout)).toBe(`${folder.at('z.npy')}: softmax along axis -1 of float32 (300, 1000)\n`);
    expect(folder.names()).toEqual(['x.npy', 'z.npy']);
    expect(folder.read('z.npy').equals(expected)).toBe(true);
  });

  it('into a file that is appended to', () => {
    const expected = expectedBytes();
    folder.write('all', Buffer.from('before'));
    const target = openSync(folder.at('all'), 'a');
    spawnSync(
      process.execPath,
      [cliPath, 'apply', '-'],
      options({ input: npy, stdio: ['pipe', target, 'pipe'] }),
    );
    closeSync(target);
    expect(folder.read('all').equals(Buffer.concat([Buffer.from('before'), expected]))).toBe(true);
  });

  it('to a pipe that is full for a while', () => {
    const flags = replace(
      'node:fs',
      `{ writeSync(descriptor, ...rest) {
        if (descriptor !== 1) return original.writeSync(descriptor, ...rest);
        globalThis.turn = !globalThis.turn;
        if (globalThis.turn) throw Object.assign(new Error('full'), { code: 'EAGAIN', syscall: 'write' });
        return original.writeSync(1, rest[0].subarray(0, 100_001));
      } }`,
    );
    expectResult(run(['-'], npy, flags), expectedBytes());
  });
});

describe('what is refused, in one line', () => {
  const place = 'standard input: ';

  it('input that is no whole .npy file', () => {
    expectFailure(run(['-'], Buffer.alloc(0)), `${place}it is empty`);
    const notNpy = `${place}it is not a .npy file: it does not start with \\x93NUMPY`;
    expectFailure(run(['-'], Buffer.from('text')), notNpy);
    expectFailure(run(['-'], npy.subarray(0, 60)), `${place}its header is cut short`);
    expectFailure(
      run(['-'], npy.subarray(0, 1e6)),
      `${place}it is cut short: it has 1000000 bytes of 1200128`,
    );
    const more = `${place}it has bytes after its data`;
    expectFailure(run(['-'], Buffer.concat([npy, npy])), more);
    const gzip = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
    expectFailure(run(['-'], gzip), `${place}it is compressed with gzip: decompress it first`);
    const zip = `${place}it is a .npz archive: give it as a file, not through a pipe`;
    expectFailure(run(['-'], Buffer.from('PK\x03\x04')), zip);
    expectFailure(run(['-', '--array', 'a'], npy), '--array needs a .npz file, not a pipe');
    const axis = `${place}axis 5 is outside [-2, 2) for its shape (300, 1000)`;
    expectFailure(run(['-', '--axis', '5'], npy), axis);
    expect(folder.names()).toEqual([]);
  });

  it('input without an end', () => {
    const notNpy = 'it is not a .npy file: it does not start with \\x93NUMPY';
    expectFailure(shell('yes | "$0" "$1" apply -'), `${place}${notNpy}`);
    expectFailure(shell('"$0" "$1" apply /dev/zero'), `/dev/zero: ${notNpy}`);
  });

  it('terminals', () => {
    const terminal = (descriptor: number) =>
      replace('node:tty', `{ isatty: (one) => one === ${descriptor} }`);
    const output = 'standard output is a terminal: redirect it, or name a file with --output';
    expectFailure(run(['-'], npy, terminal(1)), output);
    const input = "standard input is a terminal: give '-' a file, as in 'apply - < x.npy'";
    expectFailure(run(['-'], npy, terminal(0)), input);
  });

  it('a directory, and other descriptors as the output', () => {
    expectFailure(shell('"$0" "$1" apply - < /'), `${place}it is a directory`);
    folder.write('x.npy', npy);
    const words = '"$0" "$1" apply "$2" --force --output /dev/fd/3 3> "$2.3"';
    expectFailure(shell(words), '/dev/fd/3: it is not a regular file');
    expect(folder.read('x.npy.3')).toHaveLength(0);
  });

  it('no room for the temporary file', () => {
    const gone = { env: environment({ TMPDIR: folder.at('gone') }), input: npy };
    const { status, stderr } = spawnSync(process.execPath, [cliPath, 'apply', '-'], gone);
    expect(status).toBe(1);
    const reason = 'there is no such file or directory';
    expect(String(stderr)).toBe(
      `softmax-native: ${folder.at('gone')}: no temporary file can be made: ${reason}\n`,
    );
  });

  it.skipIf(!existsSync('/dev/full'))('a device that is full', () => {
    folder.write('x.npy', npy);
    const full = "standard output: it can't be written: no space is left on the device";
    expectFailure(shell('"$0" "$1" apply - < "$2" > /dev/full'), full);
    expectFailure(shell('"$0" "$1" info > /dev/full'), full);
    expect(folder.names()).toEqual(['x.npy']);
  });
});

it('a reader that is gone is no error', async () => {
  folder.write('x.npy', npy);
  const words = [cliPath, 'apply', folder.at('x.npy'), '--output', '-'];
  const child = spawn(process.execPath, words, { env: options().env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
  });
  const [code] = await once(child, 'close');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(folder.names()).toEqual(['x.npy']);
});
