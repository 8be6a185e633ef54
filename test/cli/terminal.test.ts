// What is for people's eyes: colours, the progress bar; and a terminal that goes away.

import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
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
  // As an event, as of pipes, and thrown, as the first versions of Node 20 do for files.
  const gone = "Object.assign(new Error('gone'), { code: 'EIO', syscall: 'write' })";
  for (const way of [`process.stdout.emit('error', ${gone})`, `{ throw ${gone}; }`]) {
    const outcome = cli(['help'], {}, preload(`process.stdout.write = () => ${way};`));
    const reason = "standard output: it can't be written: the device reports an error (EIO)";
    expect(outcome).toEqual({ status: 1, stdout: '', stderr: `softmax-native: ${reason}\n` });
  }
});
