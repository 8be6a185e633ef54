// softmax-native topk and sample: what they print, on every layout of a file, and what they refuse.

import { spawnSync } from 'node:child_process';
import { sample } from 'softmax-native';
import { afterAll, describe, expect, it } from 'vitest';
import {
  cli,
  cliPath,
  cliRuns,
  dataBytes,
  dictText,
  Folder,
  headerBytes,
  type Values,
} from '../helpers/npy.js';

const folder = new Folder();
const { at } = folder;
afterAll(() => folder.remove());

function file(
  name: string,
  descr: string,
  shape: readonly number[],
  values: Values,
  isFortran = false,
): void {
  folder.write(name, headerBytes(dictText(descr, shape, isFortran)), dataBytes(descr, values));
}

/** Logits whose probabilities are eighths. */
const eighths = Float64Array.of(0, Math.LN2, 2 * Math.LN2, 0);

file('row.npy', '<f8', [4], eighths);
file('rows.npy', '>f4', [2, 1, 4], Float32Array.of(0, 1, 2, 3, 3, 2, 1, 0));
file('fortran.npy', '<f4', [2, 2], Float32Array.of(0, 5, 9, 1), true);
file('bits.npy', '<V2', [3], Uint16Array.of(0, 0x3f80, 0xff80));
folder.write('labels.txt', Buffer.from('none\r\none\r\ntwo\tor more\r\nlast\r\n'));

function lines(...runs: (readonly string[])[]): string[] {
  return cliRuns(runs).map(({ status, stdout, stderr }) => {
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  });
}

describe('topk', () => {
  it('prints probability, class and label', () => {
    const [plain, labelled, json, hot] = lines(
      ['topk', at('row.npy'), '--k', '3'],
      ['topk', at('row.npy'), '--k', '2', '--labels', at('labels.txt')],
      ['topk', at('row.npy'), '--k', '1', '--json', '--labels', at('labels.txt')],
      ['topk', at('row.npy'), '--k', '1', '--temperature', 'inf'],
    );
    expect(plain).toBe('0.5\t2\n0.25\t1\n0.125\t0\n');
    expect(labelled).toBe('0.5\t2\ttwo\\x09or more\n0.25\t1\tone\n');
    expect(json).toBe('{"classes":[{"class":2,"probability":0.5,"label":"two\\tor more"}]}\n');
    // A temperature changes no order.
    expect(hot).toBe('0.25\t2\n');
  });

  it('takes all classes where there are fewer than 5, and labels after a byte order mark', () => {
    const labels = folder.write('marked.txt', Buffer.from('\ufeffa\nb\nc\nd\n'));
    const [all] = lines(['topk', at('row.npy'), '--labels', labels]);
    expect(all).toBe('0.5\t2\tc\n0.25\t1\tb\n0.125\t0\ta\n0.125\t3\td\n');
  });

  it('keeps no more output than its reader takes', () => {
    file('many.npy', '<f4', [500_000, 2], new Float32Array(1_000_000));
    const words = [process.execPath, cliPath, at('many.npy')];
    const script = '"$0" --max-old-space-size=64 "$1" topk "$2" --k 1 | (sleep 2; wc -l)';
    const { stdout, stderr } = spawnSync('sh', ['-c', script, ...words], { encoding: 'utf8' });
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: '500000', stderr: '' });
  });

  it('names the row where there are several, in either order of memory', () => {
    const [last, first, fortran, json] = lines(
      ['topk', at('rows.npy'), '--k', '1'],
      ['topk', at('rows.npy'), '--k', '1', '--axis', '0', '--temperature', '0'],
      ['topk', at('fortran.npy'), '--k', '1', '--temperature', '0'],
      ['topk', at('fortran.npy'), '--k', '1', '--temperature', '0', '--json'],
    );
    expect(last).toBe('(0, 0)\t0.643914\t3\n(1, 0)\t0.643914\t0\n');
    expect(first).toBe('(0, 0)\t1\t1\n(0, 1)\t1\t1\n(0, 2)\t1\t0\n(0, 3)\t1\t0\n');
    // Columns lie one after another: the rows are [0, 9] and [5, 1].
    expect(fortran).toBe('0\t1\t1\n1\t1\t0\n');
    expect(json).toContain('{"row":[1],"classes":[{"class":0,"probability":1}]}\n');
  });

  it('reads 16 bits, and archives and pipes as apply does', () => {
    const [bits] = lines(['topk', at('bits.npy'), '--dtype', 'bfloat16', '--k', '3']);
    expect(bits).toBe('0.731059\t1\n0.268941\t0\n0\t2\n');
  });

  it('says what is wrong', () => {
    const run = (...words: string[]) => cli(['topk', ...words]);
    expect(run(at('row.npy'), '--k', '5')).toMatchObject({
      status: 1,
      stderr: 'softmax-native: --k is 5, but there are 4 classes\n',
    });
    expect(run(at('row.npy'), '--k', '0').stderr).toBe(
      "softmax-native: --k must be an integer of at least 1, got '0' (see softmax-native topk --help)\n",
    );
    expect(run(at('rows.npy'), '--labels', at('missing.txt')).stderr).toBe(
      `softmax-native: ${at('missing.txt')}: it can't be read: there is no such file or directory\n`,
    );
    expect(run(at('bits.npy'), '--dtype', 'bfloat16', '--labels', at('labels.txt')).stderr).toBe(
      `softmax-native: ${at('labels.txt')}: it has 4 lines, one label each, but there are 3 classes\n`,
    );
    expect(run()).toMatchObject({ status: 2 });
  });
});

describe('sample', () => {
  it('draws what the library draws', () => {
    const words = ['--seed', '7', '--count', '20', '--temperature', '0.7', '--top-p', '0.9', '--step', '3'];
    const [text] = lines(['sample', at('row.npy'), ...words]);
    const options = { seed: 7, count: 20, temperature: 0.7, topP: 0.9, step: 3 };
    const { tokens, logProbs } = sample(eighths, options);
    const expected = [...tokens].map(
      (token, i) => `${Number((logProbs[i] as number).toPrecision(6))}\t${token}\n`,
    );
    expect(text).toBe(expected.join(''));
    // 61 %, 23 %, and the first of two with 8 %.
    expect(new Set(tokens)).toEqual(new Set([0, 1, 2]));
  });

  it('passes every filter on', () => {
    const seed = ['--seed', '1', '--count', '8'];
    const only = lines(
      ['sample', at('row.npy'), ...seed, '--top-k', '1'],
      ['sample', at('row.npy'), ...seed, '--min-p', '0.9'],
      ['sample', at('row.npy'), ...seed, '--top-n-sigma', '0.1'],
      ['sample', at('row.npy'), ...seed, '--temperature', '0'],
    );
    for (const text of only) expect(text).toBe('0\t2\n'.repeat(8));
    // Of H = 1.213, a quarter (1.386) is nearest, then an eighth or a half.
    const [typical] = lines(['sample', at('row.npy'), ...seed, '--typical-p', '0.2']);
    expect(typical).toBe('0\t1\n'.repeat(8));
  });

  it('says which seed repeats it, and what is wrong', () => {
    const first = cli(['sample', at('row.npy'), '--count', '30']);
    const [, seed = ''] = /^softmax-native: --seed (\d+) repeats this run\n$/.exec(first.stderr) ?? [];
    const [again] = lines(['sample', at('row.npy'), '--count', '30', '--seed', seed]);
    expect(again).toBe(first.stdout);
    expect(cli(['sample', at('row.npy'), '--top-p', '0']).stderr).toBe(
      "softmax-native: --top-p must be a number in (0, 1], got '0' (see softmax-native sample --help)\n",
    );
  });
});
