// Workers that are killed and ones that sleep, a Redis that is killed, producers that ask for the same: nothing is lost,
// nothing is there twice.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, partialOf } from '../scoring.mjs';
import { Workers } from '../workers.mjs';
import { all, expectedOf, fileOf, logitsOf, npyOf, run, start, until, withRedis, write } from './tools.mjs';

const shape = [16_384, 1024];
const rowsPerJob = 512;
const jobs = shape[0] / rowsPerJob;
const between = (least, most) => least + Math.random() * (most - least);
const anyOf = (list) => list[Math.floor(Math.random() * list.length)];

const asleep = new Set();
// After a check that has failed, they would sleep for ever.
process.on('exit', () => asleep.forEach(wake));

function wake(processId) {
  asleep.delete(processId);
  try {
    process.kill(processId, 'SIGCONT');
  } catch {
    // It was killed in its sleep.
  }
}

/** Kills until it is told to stop: now and then it is Redis, or a worker only sleeps for longer than its lock lasts. */
async function spoil({ workers, scorings, redis, lock, counts, isOver }) {
  while (!isOver()) {
    await sleep(between(0, 300));
    // One that is always killed is dead in the end, and rightly so.
    const busy = (await scorings.queue.getActive()).filter((job) => job.stalledCounter < 10);
    const processId = Number(anyOf(busy)?.processedBy);
    // A job that nobody has missed yet may be of one that is gone.
    if (!workers.processIds.includes(processId)) continue;
    try {
      if (counts.kills % 10 === 3 && counts.redis < counts.kills / 10) {
        process.kill(redis.processId, 'SIGKILL');
        counts.redis++;
      } else if (counts.kills % 10 === 4 && counts.sleeps < counts.kills / 10) {
        process.kill(processId, 'SIGSTOP');
        asleep.add(processId);
        setTimeout(() => wake(processId), 3000 * lock);
        counts.sleeps++;
      } else {
        process.kill(processId, 'SIGKILL');
        counts.kills++;
      }
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // it has just gone by itself
    }
  }
}

/** From the first moment that somebody can see the output, all of it is there. */
async function watch(out, expected, isOver) {
  while (!isOver()) {
    if (existsSync(out)) assert.ok(readFileSync(out).equals(expected), 'a half-done output was seen');
    await sleep(5);
  }
}

async function scoreOnce({ input, expected, scorings, env }) {
  const out = fileOf();
  const words = ['producer', input, '--out', out, '--rows-per-job', String(rowsPerJob)];
  let isOver = false;
  const watched = watch(out, expected, () => isOver);
  const producers = [start(words, { env }), start(words, { env })];
  for (const { code, output } of await Promise.all(producers.map(({ ended }) => ended))) {
    assert.equal(code, 0, output);
    assert.match(output, /softmax of 16384 rows/);
  }
  isOver = true;
  await watched;
  assert.ok(readFileSync(out).equals(expected), 'other bytes than one process writes');
  const { scoring, ranges } = await describe({ input, out, rowsPerJob });
  assert.equal(ranges.length, jobs);
  await until(() => !existsSync(partialOf(scoring)), 'nothing else is left');
  const children = await Promise.all(
    ranges.map(({ begin }) => scorings.queue.getJob(`${scoring.id}-${begin}`)),
  );
  assert.equal(Object.keys(await (await scorings.last(scoring.id)).getChildrenValues()).length, jobs);
  const lost = children.reduce((sum, { stalledCounter }) => sum + stalledCounter, 0);
  return { words, out, lost };
}

export async function checkLosses({ isQuick }) {
  const wanted = isQuick ? 5 : 100;
  const lock = 1;
  const logits = logitsOf(shape[0] * shape[1]);
  const input = write(npyOf(logits, shape));
  const expected = expectedOf(logits, shape);
  const counts = { kills: 0, redis: 0, sleeps: 0 };
  let scored = 0;
  let lost = 0;
  await withRedis(async ({ redis, scorings, env }) => {
    const workers = new Workers(3, { url: redis.url, lock });
    let hasFailed = false;
    const isOver = () => hasFailed || counts.kills >= wanted;
    let last;
    const score = async () => {
      do {
        last = await scoreOnce({ input, expected, scorings, env });
        lost += last.lost;
        scored++;
      } while (!isOver());
    };
    const scoring = score().catch((error) => {
      hasFailed = true;
      throw error;
    });
    await all([scoring, spoil({ workers, scorings, redis, lock, counts, isOver })]);
    // One that slept is awake, and what it still does is done to a file that has its name.
    await sleep(4000 * lock);
    assert.ok(readFileSync(last.out).equals(expected), 'a worker that was late changed the output');
    assert.equal(
      await scorings.queue.getCompletedCount(),
      scored * (jobs + 1),
      'two producers add jobs once',
    );
    // What Redis knows of it outlives Redis.
    process.kill(redis.processId, 'SIGKILL');
    const { code, output } = await run(last.words, { env });
    assert.deepEqual([code, /it was there/.test(output)], [0, true], output);
    await workers.stop();
  });
  assert.ok(lost > 0 && counts.redis > 0 && counts.sleeps > 0, 'no loss met a job: the check shows nothing');
  console.log(
    `batch-scoring: ${scored} scorings by two producers, ${counts.kills} workers killed, ${counts.sleeps} asleep, ` +
      `Redis killed ${counts.redis} times: ${lost} jobs lost their worker; same bytes`,
  );
}
