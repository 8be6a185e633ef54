// Runs that end in the middle: by a signal, a limit, or a file that changes. Nothing of them stays.

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cli, cliPath, dictText, environment, Folder, headerBytes } from '../helpers/npy.js';

const folder = new Folder();
afterEach(() => folder.empty());
afterAll(() => folder.remove());

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

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s removes what was written',
    async (signal) => {
      const { child, end } = await startedRun(large());
      child.kill(signal);
      // A shell's status is 128 and the signal's number.
      expect(await end).toEqual({ code: null, signal });
      expect(folder.names()).toEqual(['x.npy']);
    },
  );

  it('the next run removes what a killed one left, and nothing of a living one', async () => {
    const file = large();
    const killed = await startedRun(file);
    const [ofKilled] = hiddenNames() as [string];
    const living = await startedRun(file, [ofKilled]);
    const [ofLiving] = hiddenNames().filter((name) => name !== ofKilled) as [string];
    try {
      living.child.kill('SIGSTOP');
      killed.child.kill('SIGKILL');
      expect(await killed.end).toEqual({ code: null, signal: 'SIGKILL' });
      // Of another machine or container, where the process may live; of another output; of no process.
      const others = [
        ofKilled.replace(/\.[0-9a-f]{8}-/, '.01234567-'),
        ofKilled.replace('x.softmax', 'y.softmax'),
        '.x.softmax.npy.tmp',
      ];
      for (const name of others) folder.write(name);
      const small = folder.write('small.npy', headerBytes(dictText('<f4', [1])), Buffer.alloc(4));
      expect(cli(['apply', small, '--output', folder.at('x.softmax.npy')]).status).toBe(0);
      const kept = [...others, ofLiving, 'small.npy', 'x.npy', 'x.softmax.npy'];
      expect(folder.names()).toEqual(kept.sort());
    } finally {
      living.child.kill('SIGKILL');
      await living.end;
    }
  });

  it('a file that becomes shorter', async () => {
    const file = large();
    const { child, end } = await startedRun(file);
    let stderr = '';
    child.stderr?.on('data', (data: Buffer) => {
      stderr += data;
    });
    truncateSync(file, 1000);
    expect(await end).toEqual({ code: 1, signal: null });
    expect(stderr).toBe(`softmax-native: ${file}: it became shorter while it was read\n`);
    expect(folder.names()).toEqual(['x.npy']);
  });
});

const ended = (child: ChildProcess) =>
  new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));

const hiddenNames = () => folder.names().filter((name) => /^\.x\.softmax\.npy\..*\.tmp$/.test(name));

/** 0 for a file that is gone meanwhile. */
const sizeOf = (name: string) => statSync(folder.at(name), { throwIfNoEntry: false })?.size ?? 0;

/** A run that has written some of its hidden file; `others` are of other runs. No core file is left by SIGQUIT. */
async function startedRun(file: string, others: readonly string[] = []) {
  const words = [
    '-c',
    'ulimit -c 0; exec "$@"',
    'bash',
    process.execPath,
    cliPath,
    'apply',
    file,
    '--memory',
    '1',
  ];
  // On a busy machine a run may be over before anyone looks: then there is another.
  for (let attempt = 0; attempt < 5; attempt++) {
    const child = spawn('bash', words, { env: environment({ SOFTMAX_BACKEND: 'js' }) });
    const end = ended(child);
    while (child.exitCode === null && child.signalCode === null) {
      const hidden = hiddenNames().find((name) => !others.includes(name));
      if (hidden !== undefined && sizeOf(hidden) > 1e6) return { child, end };
      await pause(5);
    }
    rmSync(folder.at('x.softmax.npy'), { force: true });
  }
  throw new Error('nothing is written');
}
