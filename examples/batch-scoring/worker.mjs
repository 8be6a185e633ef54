// A process that does jobs, one at a time: workers.mjs starts it, as many as there are cores.

import { UnrecoverableError, Worker } from 'bullmq';
import { setThreads } from 'softmax-native';
import { metrics, registry } from './metrics.mjs';
import { isFinal } from './mistake.mjs';
import { connectionTo, queueName } from './queue.mjs';
import { finish, scoreRows } from './scoring.mjs';

/** So often may the worker of a job be lost before it is the job's fault. */
const mostStalls = 20;

/** The library counts rows from the first of the job. */
function shownError(error, { begin, end }) {
  const row = error.row === undefined ? '' : `row ${begin + error.row}: `;
  return `${row}${error.message} (rows ${begin} to ${end - 1})`;
}

async function scoreJob({ data: { scoring, range } }) {
  const began = performance.now();
  try {
    const done = await scoreRows(scoring, range);
    const total = (performance.now() - began) / 1000;
    for (const [part, seconds] of Object.entries({ ...done.seconds, total })) {
      metrics.seconds.observe({ part }, seconds);
    }
    metrics.rows.inc(range.end - range.begin);
    metrics.jobs.inc();
    return done;
  } catch (error) {
    const message = shownError(error, range);
    throw isFinal(error) ? new UnrecoverableError(message) : new Error(message, { cause: error });
  }
}

async function finishJob(job) {
  try {
    const done = await finish(job.data.scoring, Object.values(await job.getChildrenValues()));
    metrics.repaired.inc(done.repaired);
    return done;
  } catch (error) {
    throw isFinal(error) ? new UnrecoverableError(error.message) : error;
  }
}

/** `lock`: after so many seconds without a sign of life of its worker a job is another's. */
export function startWorker({ url, lock }) {
  // A process for each core is simpler than threads of the library's, and reading and writing are spread, too.
  setThreads(1);
  const worker = new Worker(queueName, (job) => (job.name === 'finish' ? finishJob(job) : scoreJob(job)), {
    connection: connectionTo(url),
    name: String(process.pid),
    lockDuration: 1000 * lock,
    stalledInterval: 1000 * lock,
    maxStalledCount: mostStalls,
    runRetryDelay: 1000,
  });
  worker.on('error', () => {}); // it connects again, and asks again
  worker.on('stalled', () => metrics.stalled.inc());
  worker.on('failed', (job) => {
    const isOver = job?.finishedOn !== undefined;
    (isOver ? metrics.failed : metrics.retries).inc();
  });
  return worker;
}

if (process.send) {
  const worker = startWorker(JSON.parse(process.env.SCORING_WORKER));
  const report = async () => process.send?.(await registry.getMetricsAsJSON(), () => {});
  const timer = setInterval(report, 1000);
  /** After the job at hand. */
  const stop = async () => {
    clearInterval(timer);
    await worker.close();
    await report();
    process.exit();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Who started it is gone.
  process.once('disconnect', () => process.exit());
  process.once('message', stop);
}
