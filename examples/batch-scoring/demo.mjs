// What `npm start` shows: a file of random logits, scored in jobs of several sizes, and what of the time is overhead.

import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { backend } from 'softmax-native';
import { writeFully } from './files.mjs';
import { follow } from './follow.mjs';
import { headerOf } from './npy.mjs';
import { Scorings } from './queue.mjs';
import { OwnRedis } from './redis.mjs';
import { describe } from './scoring.mjs';
import { Workers } from './workers.mjs';

const mebibyte = 2 ** 20;
const classes = 1024;
const sizes = [1, 4, 16, 32, 64];

async function writeLogits(path, rows) {
  const random = randomFillSync(new Uint8Array(mebibyte));
  const logits = Float32Array.from(random, (byte) => byte / 16 - 8);
  const head = headerOf("'<f4'", [rows, classes]);
  const handle = await open(path, 'w');
  await writeFully(handle, head, 0);
  const bytes = new Uint8Array(logits.buffer);
  for (let at = 0; at < rows * classes * 4; at += bytes.length) {
    await writeFully(handle, bytes, head.length + at);
  }
  await handle.close();
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** Of each worker: from the beginning of its first job to the end of its last, in seconds. */
function windowsOf(jobs) {
  const windows = new Map();
  for (const { processedBy, processedOn, finishedOn } of jobs) {
    const { begin, end } = windows.get(processedBy) ?? { begin: processedOn, end: finishedOn };
    windows.set(processedBy, { begin: Math.min(begin, processedOn), end: Math.max(end, finishedOn) });
  }
  return [...windows.values()];
}

/** One scoring, and what its jobs say. `overhead`: seconds a job of a worker's time that are none of its work. */
async function measure(scorings, workers, options) {
  const described = await describe(options);
  const { parts } = await follow(scorings, described, { force: true });
  const id = described.scoring.id;
  const jobs = await Promise.all(parts.map(({ begin }) => scorings.queue.getJob(`${id}-${begin}`)));
  const windows = windowsOf(jobs);
  const spanOf = ({ begin, end }) => (end - begin) / 1000;
  const span = spanOf({
    begin: Math.min(...windows.map(({ begin }) => begin)),
    end: Math.max(...windows.map(({ end }) => end)),
  });
  const secondsOf = (...names) => sum(parts.flatMap(({ seconds }) => names.map((name) => seconds[name])));
  const work = secondsOf('read', 'compute', 'checksum', 'write');
  return {
    jobs: parts.length,
    rowsPerSecond: described.scoring.source.rows / span,
    overhead: (sum(windows.map(spanOf)) - work) / parts.length,
    compute: secondsOf('compute') / parts.length,
    files: secondsOf('read', 'write', 'checksum') / parts.length,
    busy: work / span / workers,
  };
}

/** The most jobs say best what one costs; the time of a MiB is that of jobs of several. */
function adviceOf([smallest, next]) {
  const size = (9 * smallest.overhead) / next.perMebibyte;
  return `${shown(smallest.overhead).trim()} are a tenth of a job of ${size.toFixed(0)} MiB; without --rows-per-job: 32 MiB.`;
}

const shown = (seconds) => `${(1000 * seconds).toFixed(1)} ms`.padStart(10);

export async function demo({ quick }) {
  const rows = quick ? 2 ** 14 : 2 ** 17;
  const directory = mkdtempSync(join(tmpdir(), 'scoring-'));
  const [input, out] = [join(directory, 'logits.npy'), join(directory, 'probabilities.npy')];
  const workers = cpus().length;
  await writeLogits(input, rows);
  console.log(`softmax of ${rows} rows of ${classes} float32 logits, ${(rows * classes * 4) / mebibyte} MiB`);
  console.log(`${workers} workers, backend ${backend.isa ?? backend.kind}\n`);
  const redis = await OwnRedis.start(join(directory, 'redis'));
  const running = new Workers(workers, { url: redis.url, lock: 10 });
  const scorings = new Scorings(redis.url);
  try {
    const score = (mebibytes) =>
      measure(scorings, workers, { input, out, rowsPerJob: (mebibytes * mebibyte) / (4 * classes) });
    await score(8); // workers start, the input is in memory
    console.log('  MiB a job   jobs     rows/s   compute     files  overhead   busy');
    const all = [];
    for (const size of sizes) {
      const { jobs, rowsPerSecond, compute, files, overhead, busy } = await score(size);
      all.push({ size, overhead, perMebibyte: (compute + files) / size });
      const figures = [shown(compute), shown(files), shown(overhead)].join('');
      const percent = `${Math.round(100 * busy)} %`.padStart(7);
      const head =
        String(size).padStart(11) + String(jobs).padStart(7) + rowsPerSecond.toFixed(0).padStart(11);
      console.log(`${head}${figures}${percent}`);
    }
    console.log(
      '\nfiles: read, checksum, write. busy: the share of workers × time in these, also waiting for the disk.',
    );
    console.log(adviceOf(all));
    return 0;
  } finally {
    await scorings.close();
    await running.stop();
    await redis.stop({ toKeep: false });
    rmSync(directory, { recursive: true });
  }
}
