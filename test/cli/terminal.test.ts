// What is for people's eyes: colours, the progress bar, charts; and a terminal that goes away.

import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { bar, chart, shownTime } from '../../src/cli/chart.js';
import { helpOf } from '../../src/cli/help.js';
import { cli, cliPath, dataBytes, dictText, environment, Folder, headerBytes } from '../helpers/npy.js';
import { preload, replace } from '../helpers/processes.js';

/** Both outputs are terminals, as far as the program can see. */
const terminal = (columns = 100, hasColors = true) =>
  preload(`for (const stream of [process.stdout, process.stderr])
    Object.assign(stream, { isTTY: true, columns: ${columns}, hasColors: () => ${hasColors} });`);
const js = { SOFTMAX_BACKEND: 'js' };
const yellow = (text: string) => `\x1b[33m${text}\x1b[39m`;
const dim = (text: string) => `\x1b[2m${text}\x1b[22m`;

describe('colours', () => {
  it('on a terminal that has them', () => {
    const { stdout } = cli(['info'], js, terminal());
    expect(stdout).toContain(`${dim('backend       ')}  ${yellow('JavaScript')}\n`);
    const last = 'JavaScript serves: forced by SOFTMAX_BACKEND=js. For native code unset SOFTMAX_BACKEND.';
    expect(stdout.endsWith(`${yellow(last)}\n`)).toBe(true);
    expect(cli([], {}, terminal()).stderr).toBe(
      '\x1b[31msoftmax-native:\x1b[39m a command is missing (see softmax-native --help)\n',
    );
  });

  it('none on one without, nor in a Node that has no styleText', () => {
    const plain = cli(['info'], js).stdout;
    expect(cli(['info'], js, terminal(100, false)).stdout).toBe(plain);
    const old = [...terminal(), ...replace('node:util', '{ styleText: undefined }')];
    expect(cli(['info'], js, old).stdout).toBe(plain);
  });
});

describe('the progress bar', () => {
  const folder = new Folder();
  const file = folder.write(
    'x.npy',
    headerBytes(dictText('<f4', [4, 3])),
    dataBytes('<f4', new Float32Array(12)),
  );
  const apply = (words: readonly string[], flags: readonly string[]) => {
    const outcome = cli(['apply', file, '--force', ...words], js, flags);
    expect(outcome.status).toBe(0);
    return outcome;
  };

  it('of apply', () => {
    const { stderr } = apply([], terminal());
    expect(stderr).toContain(`${'░'.repeat(30)} 0 %  `);
    expect(stderr).toContain('x.npy');
    // Nothing of it stays: the line is cleared.
    expect(stderr.endsWith('\x1b[1G\x1b[2K')).toBe(true);
    expect(apply(['--quiet'], terminal()).stderr).toBe('');
    expect(apply([], []).stderr).toBe('');
    folder.remove();
  });

  it('of bench, which names what is timed', () => {
    const { status, stdout, stderr } = cli(['bench', '--quick'], {}, terminal());
    expect(status).toBe(0);
    expect(stderr).toContain('crossEntropy with gradient 64×1000');
    // Which is faster is not asserted: a sanitizer makes native code slow.
    expect(stdout).toMatch(/^ {2}native {6,}[\d.]+ [nµm]s {2}.+ (?:times as fast|JavaScript is faster)$/m);
    expect(stdout).toContain('  \x1b[32m█');
    expect(stdout).toContain(dim('\nNative code and JavaScript gave the same bits.'));
  });
});

describe('charts', () => {
  it('bars by eighths; nothing above 0 is invisible', () => {
    expect([0, 1e-9, 1 / 16, 0.5, 1].map((fraction) => bar(fraction, 4))).toEqual([
      '',
      '▏',
      '▎',
      '██',
      '████',
    ]);
  });

  it('times have three digits', () => {
    const times = [0.001, 9.996, 99.96, 999.4, 999.6, 12_345, 999_600, 2.5e9];
    const shown = ['0.00 ns', '10.0 ns', '100 ns', '999 ns', '1.00 µs', '12.3 µs', '1.00 ms', '2500 ms'];
    expect(times.map(shownTime)).toEqual(shown);
  });

  it('lines, with and without a note, never narrower than ten characters', () => {
    const lines = [
      { name: 'native', nanoseconds: 50, style: 'green', note: 'twice as fast' },
      { name: 'JavaScript', nanoseconds: 100, style: 'yellow', note: '' },
    ] as const;
    expect(chart(lines, 20, (style, text) => `<${style}>${text}`)).toBe(
      '  native       50.0 ns  <green>█████  twice as fast\n  JavaScript    100 ns  <yellow>██████████',
    );
  });
});

it('help of no command is that of the program', () => {
  for (const words of [['help'], ['--help'], ['-h']])
    expect(cli(words)).toEqual({ status: 0, stdout: `${helpOf('')}\n`, stderr: '' });
});

it('a reader that has seen enough is no error; another error of the output is one', async () => {
  const child = spawn(process.execPath, [cliPath, 'help'], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const broken = preload(
    `process.stdout.write = () => process.stdout.emit('error', Object.assign(new Error('gone'), { code: 'EIO' }));`,
  );
  const outcome = cli(['help'], {}, broken);
  expect(outcome.status).toBe(1);
  expect(outcome.stderr).toContain('Error: gone');
});
