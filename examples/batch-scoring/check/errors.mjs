// What goes wrong with files: rows that can't be computed, files that are gone for a while or change, a full disk.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { follow } from '../follow.mjs';
import { describe, partialOf, prepare } from '../scoring.mjs';
import { Workers } from '../workers.mjs';
import {
  all,
  assertOutput,
  expectedOf,
  fileOf,
  logitsOf,
  npyOf,
  run,
  until,
  withRedis,
  write,
} from './tools.mjs';

/** A target that is no class: its job is dead at once, the others are done, and nothing is there. */
async function checkPoison() {
  const shape = [1000, 30];
  const logits = logitsOf(30_000);
  const input = write(npyOf(logits, shape));
  const targets = Int32Array.from({ length: 1000 }, (_, row) => row % 30);
  const out = fileOf();
  const score = (path, env) => {
    const options = ['--operation', 'token-log-probs', '--targets', path, '--rows-per-job', '100'];
    return run([env ? 'producer' : 'score', input, '--out', out, ...options], { env });
  };
  const poisoned = write(npyOf(targets.with(678, 30), [1000]));
  const dead = /^dead: \w+-600 after 1 attempts: row 678: tokenLogProbs: .*30 is outside \[0, 30\)/m;
  await withRedis(async ({ redis, env }) => {
    const workers = new Workers(1, { url: redis.url, lock: 10 });
    const { code, output } = await score(poisoned, env);
    assert.equal(code, 1, output);
    assert.match(output, dead);
    assert.match((await run(['status'], { env })).output, /waiting-children: 9 of 10 jobs, 1 dead: /);
    const listed = await run(['dead'], { env });
    assert.equal(listed.code, 1);
    assert.match(listed.output, dead);
    await workers.stop();
  });
  assert.ok(!existsSync(out), 'nothing is presented as done');
  const right = await score(write(npyOf(targets, [1000])));
  assert.equal(right.code, 0, right.output);
  assertOutput(out, expectedOf(logits, shape, { operation: 'token-log-probs', targets }), 'without poison');
}

/** The output is away for a while, as when a file system of the network is: jobs are tried again, later and later. */
async function checkRetries() {
  const shape = [90, 30];
  const logits = logitsOf(2700);
  const options = { input: write(npyOf(logits, shape)), out: fileOf(), rowsPerJob: 30 };
  await withRedis(async ({ redis, scorings }) => {
    const described = await describe(options);
    const { scoring } = described;
    await prepare(scoring);
    await scorings.add(described);
    const partial = partialOf(scoring);
    renameSync(partial, `${partial}.away`);
    const workers = new Workers(1, { url: redis.url, lock: 10 });
    const attempts = async ({ begin }) =>
      (await scorings.queue.getJob(`${scoring.id}-${begin}`)).attemptsMade;
    const haveFailed = async () => (await Promise.all(described.ranges.map(attempts))).every(Boolean);
    await until(haveFailed, 'all jobs have failed once');
    renameSync(`${partial}.away`, partial);
    const { dead } = await follow(scorings, described);
    assert.deepEqual(dead, []);
    assertOutput(options.out, expectedOf(logits, shape), 'after retries');
    const made = (await Promise.all(described.ranges.map(attempts))).reduce((sum, count) => sum + count);
    const counted = new RegExp(`retries_total ${made - 3}$`, 'm');
    await until(async () => counted.test(await workers.metrics()), 'retries are counted');
    await workers.stop();
  });
}

/** The input is another file when its jobs are done. */
async function checkChange() {
  const shape = [90, 30];
  const options = { input: write(npyOf(logitsOf(2700), shape)), out: fileOf(), rowsPerJob: 30 };
  await withRedis(async ({ redis, scorings }) => {
    const described = await describe(options);
    utimesSync(options.input, 1, 1);
    const workers = new Workers(1, { url: redis.url, lock: 10 });
    const { dead } = await follow(scorings, described);
    assert.equal(dead.length, 3);
    for (const job of dead) assert.match(job.failedReason, /it has changed since the scoring began/);
    assert.ok(!existsSync(options.out));
    await workers.stop();
  });
}

/** With less room than the output takes: a small file system where that may be mounted, else a limit of file sizes. */
async function checkFullDisk() {
  const shape = [4096, 1024];
  const logits = logitsOf(4096 * 1024);
  const input = write(npyOf(logits, shape));
  const directory = fileOf('disk');
  mkdirSync(directory);
  const isRoot = process.getuid() === 0;
  const mount = (...args) => execFileSync('mount', ['-t', 'tmpfs', ...args, 'none', directory]);
  if (isRoot) mount('-o', 'size=8m');
  try {
    const out = join(directory, 'out.npy');
    const args = ['score', input, '--out', out, '--rows-per-job', '512', '--attempts', '2'];
    const by = ['bash', '-c', 'ulimit -f 8192; exec "$0" "$@"', process.execPath];
    const full = await run(args, isRoot ? {} : { by });
    assert.equal(full.code, 1, full.output);
    if (isRoot) assert.match(full.output, /dead: [\w-]+ after 2 attempts: ENOSPC/);
    assert.ok(!existsSync(out), 'nothing is presented as done');
    if (isRoot) mount('-o', 'remount,size=32m');
    const { code, output } = await run(args);
    assert.equal(code, 0, output);
    assertOutput(out, expectedOf(logits, shape), 'after the disk was full');
    assert.deepEqual(readdirSync(directory), ['out.npy']);
  } finally {
    if (isRoot) execFileSync('umount', [directory]);
  }
  return isRoot ? 'ENOSPC' : 'EFBIG';
}

export async function checkErrors() {
  const [error] = await all([checkFullDisk(), checkPoison(), checkRetries(), checkChange()]);
  console.log(
    `batch-scoring: dead jobs are listed, others done; ${error}, then complete; retries later and later`,
  );
}
