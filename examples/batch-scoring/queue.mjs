// Scorings in BullMQ: a job for each range of rows, and one after all of them, which is their parent and has the scoring's
// id. Whoever adds a scoring that is there adds nothing.

import { FlowProducer, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Mistake } from './mistake.mjs';
import { version } from './scoring.mjs';

/** Only workers of the same version take its jobs: the bits of a result change between versions, if at all. */
export const queueName = `softmax-native-${version}`;

/** Commands wait for a Redis that restarts. BullMQ's own pauses grow to 20 s. */
export const connectionTo = (url) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(100 * times, 2000),
});

/** Else a wrong address would be waited for, too. Five seconds are enough for one that restarts. */
export async function requireRedis(url) {
  const redis = new Redis(url, { maxRetriesPerRequest: 20, retryStrategy: () => 250 });
  let reason;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.ping();
  } catch (error) {
    throw new Mistake(`there is no Redis at ${new URL(url).host}: ${(reason ?? error).message}`);
  } finally {
    redis.disconnect();
  }
}

const week = 7 * 24 * 3600;

export class Scorings {
  /** `attempts`: of a job, before it is dead; with a second in between, then two, four, … */
  constructor(url, { attempts = 5 } = {}) {
    const connection = connectionTo(url);
    this.attempts = attempts;
    this.queue = new Queue(queueName, { connection });
    this.flows = new FlowProducer({ connection });
    // Both connect again on their own.
    this.queue.on('error', () => {});
    this.flows.on('error', () => {});
  }

  async close() {
    await Promise.all([this.queue.close(), this.flows.close()]);
  }

  async add({ scoring, ranges }) {
    const { id } = scoring;
    const opts = {
      attempts: this.attempts,
      backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
      removeOnComplete: { age: week },
    };
    const child = (range) => ({
      name: `rows ${range.begin}`,
      queueName,
      data: { scoring, range },
      opts: { ...opts, jobId: `${id}-${range.begin}` },
    });
    await this.flows.add({
      name: 'finish',
      queueName,
      data: { scoring, jobs: ranges.length },
      opts: { ...opts, jobId: id },
      children: ranges.map(child),
    });
  }

  /** Its last job, or undefined. */
  last(id) {
    return this.queue.getJob(id);
  }

  async remove(id) {
    await (await this.last(id))?.remove({ removeChildren: true });
  }

  /** Their ids, of all scorings. */
  #failed() {
    return this.queue.getRanges(['failed'], 0, -1);
  }

  /** Jobs that failed for good, of a scoring or of all. */
  async dead(id) {
    const ids = (await this.#failed()).filter((jobId) => jobId.startsWith(id ?? ''));
    return (await Promise.all(ids.map((jobId) => this.queue.getJob(jobId)))).filter(Boolean);
  }

  async retryDead(id) {
    const dead = await this.dead(id);
    // Another may do the same: then it is dead no more.
    for (const job of dead) await job.retry('failed', { resetAttemptsMade: true }).catch(() => {});
    return dead.length;
  }

  /** `state` of the last job, and how many of the others are `done` and `dead`. undefined: there is none. */
  async progress(id) {
    const last = await this.last(id);
    if (last === undefined) return undefined;
    const [state, counts, dead] = await Promise.all([
      last.getState(),
      last.getDependenciesCount({ processed: true, unprocessed: true }),
      this.#failed(),
    ]);
    return {
      state,
      jobs: last.data.jobs,
      done: counts.processed ?? 0,
      left: counts.unprocessed ?? 0,
      dead: dead.filter((jobId) => jobId.startsWith(`${id}-`)).length,
    };
  }

  /** Last jobs of all scorings that Redis remembers. */
  async all() {
    const states = ['waiting-children', 'waiting', 'delayed', 'active', 'completed', 'failed'];
    const jobs = await this.queue.getJobs(states);
    return jobs.filter((job) => job?.name === 'finish');
  }
}
