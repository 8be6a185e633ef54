// A browser without a window: Chromium, another that takes its options, or Firefox.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

function argumentsOf(program, profile, address) {
  if (/firefox/i.test(basename(program)))
    return ['--headless', '--no-remote', '--new-instance', '--profile', profile, address];
  return [
    ...['--headless', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    // For root, which CI is, there is no sandbox. It loads no more than the pages of this check.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...[`--user-data-dir=${profile}`, address],
  ];
}

/** `ended` resolves when it has ended, with what it said. */
export function open(program, address) {
  const profile = mkdtempSync(join(tmpdir(), 'softmax-browser-'));
  const running = spawn(program, argumentsOf(program, profile, address), {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  running.stderr.on('data', (text) => {
    said = `${said}${text}`.slice(-4000);
  });
  const ended = new Promise((resolve) => {
    running.once('error', ({ message }) => resolve(message));
    running.once('exit', (code, signal) => resolve(`${program} ended by ${signal ?? code}\n${said}`));
  });
  const close = async () => {
    // Its other processes, too.
    if (running.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL');
    await ended;
    running.stderr.destroy();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  return { ended, close };
}
