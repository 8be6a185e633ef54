// Whatever is wrong: one line on the error output, the exit code, and no file that was not there before.

import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cli, dataBytes, dictText, Folder, headerBytes } from '../helpers/npy.js';

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
    const start = 'it is not a .npy file: it does not start with \\x93NUMPY';
    expectRefused([], 'it is empty');
    expectRefused([Buffer.from('no array')], start);
    const header = headerBytes(dictText('<f4', [2, 3]));
    for (const length of [6, 8, 9, 10, 60, 127])
      expectRefused([header.subarray(0, length)], 'its header is cut short');
    expectRefused([header, floats(5)], 'it is cut short: it has 148 bytes of 152');
    expectRefused([header, floats(7)], 'it has 4 bytes after its data');
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
      const message = `its format version ${major}.${minor} is not supported: only 1.0, 2.0 and 3.0 are`;
      expectRefused([header, floats(6)], message);
    }
    const long = Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1');
    expectRefused([long], 'its header has 4294967295 bytes: at most 1048576 are supported');
  });

  const wanted = 'it must be float16, float32 or float64';

  it.each(['<i4', '|u1', '|b1', '<c8', '<f16', '<V4', '<U5', '|O', '<M8[ns]', '!f4', 'toString', ''])(
    'dtype %j',
    (descr) => {
      const header = headerBytes(dictText(descr, [2, 3]));
      expectRefused([header, floats(6)], `its dtype '${descr}' is not supported: ${wanted}`);
    },
  );

  it('a structured dtype, and one of another kind', () => {
    const text = (descr: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': (6,), }`;
    const structured = headerBytes(text("[('x', '<f4'), ('y', '<f4', (2,))]"));
    expectRefused([structured, floats(6)], `its dtype is structured: ${wanted}`);
    expectRefused([headerBytes(text('4')), floats(6)], `its 'descr' is not a string: ${wanted}`);
  });

  it.each([
    ["{'descr': '<f4', 'fortran_order': False, }", "its header has no 'shape'"],
    ["{'descr': '<f4', 'shape': (6,), }", "its header has no 'fortran_order'"],
    ["{'fortran_order': False, 'shape': (6,), }", "its header has no 'descr'"],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}",
      "its header has an unknown key 'more'",
    ],
    ["{'descr': '<f4', 'descr': '<f4', 'shape': (6,)}", "its header has the key 'descr' twice"],
    [
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (6,), }",
      "its 'fortran_order' is neither True nor False",
    ],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': 6, }", "its 'shape' is not a tuple"],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", "its 'shape' is not a tuple"],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", "its 'shape' has -6 that is not a size"],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': ('a',), }",
      "its 'shape' has a value that is not a size",
    ],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6.5,), }",
      'its header is malformed: a value is missing at character 51',
    ],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4000000, 4000000, 4000000), }",
      'its shape (4000000, 4000000, 4000000) is larger than any file',
    ],
    ["{'descr': '<f4'", 'its header is malformed: a comma is missing at character 15'],
    [`${dictText('<f4', [6])}x`, 'its header goes on after its dict, at character 57'],
    ['import os', 'its header is malformed: { is missing at character 0'],
  ])('%s', (text, message) => {
    expectRefused([headerBytes(text), floats(6)], message);
  });

  it('an axis that the array does not have', () => {
    for (const axis of [2, -3])
      expectRefused(
        [headerBytes(dictText('<f4', [2, 3])), floats(6)],
        `axis ${axis} is outside [-2, 2) for its shape (2, 3)`,
        ['--axis', `${axis}`],
      );
    const scalar = 'a 0-dimensional array has no axis';
    expectRefused([headerBytes(dictText('<f4', [])), floats(1)], scalar);
  });

  it('nothing of a file drives the terminal', () => {
    const header = headerBytes(dictText('\x1b[31m\x07', [2, 3]));
    expectRefused([header], `its dtype '\\x1b[31m\\x07' is not supported: ${wanted}`);
  });
});

describe('files that are not there, or not to be written', () => {
  it('input', () => {
    const at = folder.at('none.npy');
    expectFailure([at], `${at}: it can't be read: there is no such file or directory`);
    expectFailure([folder.path], `${folder.path}: it is a directory`);
    expectFailure(['/dev/null'], '/dev/null: it is empty');
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
    expectFailure([file, '--output', other], `${other}: it exists: --force replaces it`);
    expectFailure([file, '--output', file], `${file}: it exists: --force replaces it`);
    mkdirSync(folder.at('z'));
    for (const name of [folder.at('z'), `${folder.at('new')}/`])
      expectFailure([file, '--force', '--output', name], `${name}: it is a directory, not a file`);
    expectFailure([file, '--force', '--output', '/dev/null'], '/dev/null: it is not a regular file');
    const lost = folder.at('none/y.npy');
    expectFailure(
      [file, '--output', lost],
      `${lost}: it can't be written: there is no such file or directory`,
    );
    expect(folder.read('y.npy').equals(folder.read('x.npy'))).toBe(true);
  });

  it('a link to what does not exist is not replaced', () => {
    const file = fine();
    symlinkSync(folder.at('missing.npy'), folder.at('link.npy'));
    for (const force of [[], ['--force']])
      expectFailure(
        [file, ...force, '--output', folder.at('link.npy')],
        `${folder.at('link.npy')}: it is a symbolic link to what does not exist`,
      );
    expect(folder.names()).toEqual(['link.npy', 'x.npy']);
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
