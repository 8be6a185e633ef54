// Words that are no options, and texts that could drive a terminal.

import { expect, it } from 'vitest';
import { shownName } from '../../src/cli/failures.js';
import { cli, dataBytes, dictText, Folder, headerBytes } from '../helpers/npy.js';

it('after -- there are no options', () => {
  const stderr = "softmax-native: info takes no argument '--help' (see softmax-native info --help)\n";
  expect(cli(['info', '--', '--help'])).toEqual({ status: 2, stdout: '', stderr });
  const folder = new Folder();
  try {
    const file = folder.write(
      'x.npy',
      headerBytes(dictText('<f4', [1])),
      dataBytes('<f4', Float32Array.of(3)),
    );
    expect(cli(['apply', '--axis', '-1', '--quiet', '--', file])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(folder.read('x.softmax.npy').readFloatLE(128)).toBe(1);
  } finally {
    folder.remove();
  }
});

it('characters that are not seen are shown by their numbers', () => {
  expect(shownName('a\tb\x1b\u200b\u{e0041}ä')).toBe('a\\x09b\\x1b\\u{200b}\\u{e0041}ä');
});
