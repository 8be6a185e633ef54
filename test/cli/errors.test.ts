// Whatever is wrong: one line on the error output, the exit code, and no file that was not there before.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cli, cliPath, dataBytes, dictText, environment, Folder, headerBytes } from '../helpers/npy.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

const floats = (length: number) => dataBytes('<f4', new Float32Array(length));
const fine = (name = 'x.npy') => folder.write(name, headerBytes(dictText('<f4', [2, 3])), floats(6));

/** The message after the file's name. */
function expectFailure(words: readonly string[], message: string, status = 1): void {
  const before = folder.names();
  const outcome = cli(['apply', ...words]);
  expect(outcome).toEqual({ status, stdout: '', stderr: `softmax-native: ${message}\n` });
  expect(folder.names()).toEqual(before);
}

/** A file of these bytes. */
function expectRefused(parts: readonly Uint8Array[], message: string, words: readonly string[] = []): void {
  const file = folder.write('x.npy', ...parts);
  expectFailure([file, ...words], `${file}: ${message}`);
}

describe('files that are no arrays of floats', () => {
  it('no .npy file, or a part of one', () => {
    const start = 'it is no .npy file: it does not begin with \\x93NUMPY';
    expectRefused([], start);
    expectRefused([Buffer.from('PK\x03\x04 a .npz file')], start);
    const header = headerBytes(dictText('<f4', [2, 3]));
    for (const length of [6, 8, 9, 10, 60, 127])
      expectRefused([header.subarray(0, length)], 'it ends within its header');
    expectRefused([header, floats(5)], 'it is cut off: its header stands for 152 bytes, it has 148');
    expectRefused([header, floats(7)], 'it has 4 bytes after the data that its header stands for');
  });

  it('versions', () => {
    for (const [major, minor] of [
      [0, 0],
      [1, 1],
      [4, 0],
      [255, 255],
    ] as const) {
      const header = headerBytes(dictText('<f4', [2, 3]));
      header[6] = major;
      header[7] = minor;
      const message = `its format version ${major}.${minor} is none of 1.0, 2.0, 3.0`;
      expectRefused([header, floats(6)], message);
    }
    const long = Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1');
    expectRefused([long], 'its header of 4294967295 bytes is longer than 1048576');
  });

  const wanted = "only '<f2', '<f4', '<f8' and '>f2', '>f4', '>f8' are supported";

  it.each(['<i4', '|u1', '|b1', '<c8', '|f4', '=f4', 'f4', '<f16', '<U5', '|O', '|V2', '<M8[ns]', ''])(
    'dtype %j',
    (descr) => {
      const header = headerBytes(dictText(descr, [2, 3]));
      expectRefused([header, floats(6)], `its dtype '${descr}' is not supported; ${wanted}`);
    },
  );

  it('a structured dtype, and one of another kind', () => {
    const text = (descr: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': (6,), }`;
    const structured = headerBytes(text("[('x', '<f4'), ('y', '<f4', (2,))]"));
    expectRefused([structured, floats(6)], `its dtype is a structured one; ${wanted}`);
    expectRefused([headerBytes(text('4')), floats(6)], `its 'descr' is no string; ${wanted}`);
  });

  it.each([
    ["{'descr': '<f4', 'fortran_order': False, }", "its header has no 'shape'"],
    ["{'descr': '<f4', 'shape': (6,), }", "its header has no 'fortran_order'"],
    ["{'fortran_order': False, 'shape': (6,), }", "its header has no 'descr'"],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}",
      "its header has an unknown key 'more'",
    ],
    ["{'descr': '<f4', 'descr': '<f4', 'shape': (6,)}", "the header has the key 'descr' twice"],
    [
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (6,), }",
      "its 'fortran_order' is neither True nor False",
    ],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': 6, }", "its 'shape' is no tuple"],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", "its 'shape' is no tuple"],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", "its 'shape' has -6, which is no size"],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': ('a',), }",
      "its 'shape' has something else, which is no size",
    ],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6.5,), }",
      'a value is missing at character 51 of the header',
    ],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4000000, 4000000, 4000000), }",
      'its shape (4000000, 4000000, 4000000) is larger than any file',
    ],
    ["{'descr': '<f4'", 'a comma is missing at character 15 of the header'],
    [`${dictText('<f4', [6])}x`, 'the header goes on after its dict, at character 57'],
    ['import os', '{ is missing at character 0 of the header'],
  ])('%s', (text, message) => {
    expectRefused([headerBytes(text), floats(6)], message);
  });

  it('an axis that the array does not have', () => {
    for (const axis of [2, -3])
      expectRefused(
        [headerBytes(dictText('<f4', [2, 3])), floats(6)],
        `axis ${axis} is outside [-2, 2) of its shape (2, 3)`,
        ['--axis', `${axis}`],
      );
    const scalar = 'its array has no axes (shape ()): there is nothing to go along';
    expectRefused([headerBytes(dictText('<f4', [])), floats(1)], scalar);
  });

  it('nothing of a file drives the terminal', () => {
    const header = headerBytes(dictText('\x1b[31m\x07', [2, 3]));
    expectRefused([header], `its dtype '\\x1b[31m\\x07' is not supported; ${wanted}`);
  });
});

describe('files that are not there, or not to be written', () => {
  it('input', () => {
    const at = folder.at('none.npy');
    expectFailure([at], `${at}: it can't be read: there is no such file or directory`);
    expectFailure([folder.path], `${folder.path}: it is a directory`);
    expectFailure(['/dev/null'], '/dev/null: it is no regular file');
  });

  // The superuser may read and write everything.
  it.skipIf(process.getuid?.() === 0)('permissions', () => {
    const file = fine();
    chmodSync(file, 0);
    expectFailure([file], `${file}: it can't be read: permission denied`);
    chmodSync(file, 0o600);
    mkdirSync(folder.at('closed'), { mode: 0o500 });
    const output = folder.at('closed/y.npy');
    expectFailure([file, '--output', output], `${output}: it can't be written: permission denied`);
  });

  it('output', () => {
    const file = fine();
    const other = fine('y.npy');
    expectFailure([file, '--output', other], `${other}: it exists; --force replaces it`);
    expectFailure([file, '--output', file], `${file}: it exists; --force replaces it`);
    mkdirSync(folder.at('z'));
    for (const name of [folder.at('z'), `${folder.at('new')}/`])
      expectFailure([file, '--force', '--output', name], `${name}: it is a directory, not a file to write`);
    expectFailure([file, '--force', '--output', '/dev/null'], '/dev/null: it is no regular file');
    const lost = folder.at('none/y.npy');
    expectFailure(
      [file, '--output', lost],
      `${lost}: it can't be written: there is no such file or directory`,
    );
    expect(folder.read('y.npy').equals(folder.read('x.npy'))).toBe(true);
  });

  it('a link stays one: its target is replaced, and keeps its mode', () => {
    const file = fine();
    const target = folder.write('target.npy', Buffer.from('old'));
    chmodSync(target, 0o640);
    symlinkSync(target, folder.at('link.npy'));
    expect(cli(['apply', file, '--force', '--output', folder.at('link.npy')]).status).toBe(0);
    expect(folder.names()).toEqual(['link.npy', 'target.npy', 'x.npy']);
    expect(folder.read('target.npy')).toHaveLength(152);
    expect(statSync(target).mode & 0o777).toBe(0o640);
  });
});

/** 256 MB of zeros that take no space. */
function large(): string {
  const header = headerBytes(dictText('<f4', [64_000, 1000]));
  const file = folder.write('x.npy', header);
  truncateSync(file, header.length + 256e6);
  return file;
}

describe('in the middle', () => {
  // A shell's limit on the size of files, in blocks of 1024 bytes, is met as a full disk is. With ThreadSanitizer no program
  // starts under one.
  it.skipIf(process.platform === 'win32' || /tsan/.test(process.env.LD_PRELOAD ?? ''))(
    'a file that may not grow on',
    async () => {
      const file = large();
      const output = folder.write('y.npy', Buffer.from('old'));
      const script = 'ulimit -f 20000; exec "$@"';
      const words = ['apply', file, '--force', '--output', output];
      const child = spawn('bash', ['-c', script, 'bash', process.execPath, cliPath, ...words], {
        env: environment(),
      });
      let stderr = '';
      child.stderr.on('data', (data: Buffer) => {
        stderr += data;
      });
      expect(await ended(child)).toEqual({ code: 1, signal: null });
      const reason = "it can't be written: a file of this size is not allowed here";
      expect(stderr).toBe(`softmax-native: ${output}: ${reason}\n`);
      expect(folder.names()).toEqual(['x.npy', 'y.npy']);
      expect(folder.read('y.npy').toString()).toBe('old');
    },
  );

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s removes what was written', async (signal) => {
    const file = large();
    const child = spawn(process.execPath, [cliPath, 'apply', file, '--memory', '1'], {
      env: environment({ SOFTMAX_BACKEND: 'js' }),
      stdio: 'ignore',
    });
    const end = ended(child);
    await grown();
    child.kill(signal);
    expect(await end).toEqual({ code: null, signal });
    expect(folder.names()).toEqual(['x.npy']);
  });

  it('a file that becomes shorter', async () => {
    const file = large();
    const child = spawn(process.execPath, [cliPath, 'apply', file, '--memory', '1'], {
      env: environment({ SOFTMAX_BACKEND: 'js' }),
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data;
    });
    const end = ended(child);
    await grown();
    truncateSync(file, 1000);
    expect(await end).toEqual({ code: 1, signal: null });
    expect(stderr).toBe(`softmax-native: ${file}: it became shorter while it was read\n`);
    expect(folder.names()).toEqual(['x.npy']);
  });
});

const ended = (child: ChildProcess) =>
  new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));

/** Until some of the hidden file is written. */
async function grown(): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    const hidden = folder.names().find((name) => /^\.x\.softmax\.npy\..*\.tmp$/.test(name));
    if (hidden !== undefined && statSync(folder.at(hidden)).size > 1e6) return;
    await pause(5);
  }
  throw new Error('nothing is written');
}
