// Arrays of .npz archives.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cli, dataBytes, dictText, Folder, headerBytes } from '../helpers/npy.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

// NumPy 2.4.6: x = np.array([[0, 0], [0, np.log(3)]], 'f4').
/** np.savez(file, logits=x, other=x.astype('f8')): stored, with sizes of 64 bits in the local headers. */
const stored = Buffer.from(
  'UEsDBC0AAAAAAAAAIQANOUyB//////////8KABQAbG9naXRzLm5weQEAEACQAAAAAAAAAJAAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3In' +
    'OiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAg' +
    'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAABUn4w/UEsDBC0AAAAAAAAAIQAB6Nww//////////8JABQA' +
    'b3RoZXIubnB5AQAQAKAAAAAAAAAAoAAAAAAAAACTTlVNUFkBAHYAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNl' +
    'LCAnc2hhcGUnOiAoMiwgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg' +
    'CgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIDqk/E/UEsBAi0DLQAAAAAAAAAhAA05TIGQAAAAkAAAAAoAAAAAAAAAAAAAAIABAAAA' +
    'AGxvZ2l0cy5ucHlQSwECLQMtAAAAAAAAACEAAejcMKAAAACgAAAACQAAAAAAAAAAAAAAgAHMAAAAb3RoZXIubnB5UEsFBgAAAAACAAIA' +
    'bwAAAKcBAAAAAA==',
  'base64',
);
/** np.savez_compressed(file, logits=x) */
const deflated = Buffer.from(
  'UEsDBC0AAAAIAAAAIQANOUyB//////////8KABQAbG9naXRzLm5weQEAEACQAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFyk' +
    'bqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKRpo6CrUKZAMuBiQQMr/HHgBQSwECLQMtAAAACAAAACEADTlM' +
    'gU0AAACQAAAACgAAAAAAAAAAAAAAgAEAAAAAbG9naXRzLm5weVBLBQYAAAAAAQABADgAAACJAAAAAAA=',
  'base64',
);
/** np.savez(file) */
const empty = Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64');

const halves = (descr: '<f4' | '<f8', values: Float32Array | Float64Array) =>
  Buffer.concat([headerBytes(dictText(descr, [2, 2])), dataBytes(descr, values)]);
const wanted = [0.5, 0.5, 0.25, 0.75];

function expectFailure(bytes: Buffer, message: string, words: readonly string[] = []): void {
  const file = folder.write('x.npz', bytes);
  const outcome = cli(['apply', file, ...words]);
  expect(outcome).toEqual({ status: 1, stdout: '', stderr: `softmax-native: ${file}${message}\n` });
  expect(folder.names()).toEqual(['x.npz']);
}

describe('one array of an archive', () => {
  it('chosen by its name', () => {
    const file = folder.write('x.npz', stored);
    for (const [name, descr, Values] of [
      ['logits', '<f4', Float32Array],
      ['other', '<f8', Float64Array],
    ] as const) {
      expect(cli(['apply', file, '--array', name])).toEqual({
        status: 0,
        stdout: `${folder.at(`x.${name}.softmax.npy`)}: softmax along axis -1 of float${descr === '<f4' ? 32 : 64} (2, 2)\n`,
        stderr: '',
      });
      const bytes = folder.read(`x.${name}.softmax.npy`);
      expect(bytes.subarray(0, 128).equals(headerBytes(dictText(descr, [2, 2])))).toBe(true);
      const data = new Values(new Uint8Array(bytes.subarray(128)).buffer);
      data.forEach((value, i) => {
        expect(value).toBeCloseTo(wanted[i] as number, 6);
      });
    }
    expect(folder.names()).toEqual(['x.logits.softmax.npy', 'x.npz', 'x.other.softmax.npy']);
  });

  it('the only one, deflated: the bits of the .npy file', () => {
    folder.write('x.npz', deflated);
    folder.write('y.npy', halves('<f4', Float32Array.of(0, 0, 0, Math.log(3))));
    expect(cli(['apply', folder.at('x.npz')]).status).toBe(0);
    expect(cli(['apply', folder.at('y.npy')]).status).toBe(0);
    expect(folder.names()).toEqual(['x.npz', 'x.softmax.npy', 'y.npy', 'y.softmax.npy']);
    expect(folder.read('x.softmax.npy').equals(folder.read('y.softmax.npy'))).toBe(true);
    expect(cli(['apply', folder.at('x.npz'), '--array', 'logits.npy']).status).toBe(0);
    expect(folder.names()).toContain('x.logits.softmax.npy');
  });
});

describe('archives that do not give an array', () => {
  it('the names that there are', () => {
    expectFailure(stored, ': it has 2 arrays: choose one with --array: logits, other');
    expectFailure(stored, ": it has no array 'nope', only: logits, other", ['--array', 'nope']);
    expectFailure(empty, ': it has no arrays');
  });

  it('--array without an archive', () => {
    const npy = halves('<f4', new Float32Array(4));
    expectFailure(npy, ': --array needs a .npz file', ['--array', 'logits']);
  });

  it('damage', () => {
    const at = stored.indexOf('\x93NUMPY', 0, 'latin1') + 128;
    const changed = Buffer.from(stored);
    changed[at] = 1;
    expectFailure(changed, "[logits]: it can't be read: its checksum is wrong", ['--array', 'logits']);
    const cut = deflated.subarray(0, deflated.length - 30);
    const reason =
      'End of central directory record signature not found. Either not a zip file, or file is truncated.';
    expectFailure(cut, `: it can't be read: ${reason}`);
    const broken = Buffer.from(deflated);
    broken.fill(0xff, 60, 90);
    const file = folder.write('x.npz', broken);
    const { status, stderr } = cli(['apply', file]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^softmax-native: .*x\.npz\[logits\]: it can't be read: [^\n]+\n$/);
    expect(folder.names()).toEqual(['x.npz']);
  });

  it('what is in an archive is checked as a file is', () => {
    const changed = Buffer.from(stored);
    changed.write('NUMPX', stored.indexOf('NUMPY'), 'latin1');
    const message = '[logits]: it is not a .npy file: it does not start with \\x93NUMPY';
    expectFailure(changed, message, ['--array', 'logits']);
    expectFailure(stored, '[other]: axis 2 is outside [-2, 2) for its shape (2, 2)', [
      '--array',
      'other',
      '--axis',
      '2',
    ]);
  });
});

it.each([
  ['1f8b08000000000000', 'compressed with gzip: decompress it first'],
  ['425a6839314159265359', 'compressed with bzip2: decompress it first'],
  ['fd377a585a000004', 'compressed with xz: decompress it first'],
  ['28b52ffd04580900', 'compressed with zstd: decompress it first'],
  ['04224d1864408200', 'compressed with lz4: decompress it first'],
  ['80049500000000', 'a Python pickle: save its arrays with np.save first'],
  ['40000000000000007b2274', 'a .safetensors file: save its arrays with np.save first'],
  ['894844460d0a1a0a', 'an HDF5 file: save its arrays with np.save first'],
  ['4747554603000000', 'a GGUF file: save its arrays with np.save first'],
  [
    Buffer.from('version https://git-lfs').toString('hex'),
    'a Git LFS pointer, not the file itself: git lfs pull brings that',
  ],
])('what is no array is named: %s', (bytes, what) => {
  expectFailure(Buffer.from(bytes, 'hex'), `: it is ${what}`);
});

it('zip archives of other kinds', () => {
  const renamed = (to: string) =>
    Buffer.from(deflated.toString('latin1').replaceAll('logits.npy', to), 'latin1');
  expectFailure(renamed('a/data.pkl'), ': it is a PyTorch file: save its tensors with np.save first');
  expectFailure(renamed('README.txt'), ': it is a .zip archive without .npy files');
});
