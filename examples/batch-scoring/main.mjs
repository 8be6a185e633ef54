// Scores files of any size in jobs of rows, on one machine or many.
//   npm run setup && npm start        (after `npm run build:all` of the package)
//   npm start -- --help

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { follow } from './follow.mjs';
import { Mistake } from './mistake.mjs';
import { requireRedis, Scorings } from './queue.mjs';
import { directoryFor, OwnRedis } from './redis.mjs';
import { describe } from './scoring.mjs';
import { Workers } from './workers.mjs';

const help = `npm start                             a demonstration: what is fast, and how large jobs should be
npm start -- score INPUT --out OUT    all on this machine: a Redis of its own, workers, the result

Many machines, which see the same files under the same names; REDIS_URL says where Redis is:
npm start -- worker                   does jobs, until it is told to stop
npm start -- producer INPUT --out OUT adds jobs and waits for the result
npm start -- status                   how far scorings are
npm start -- dead [--retry]           jobs that failed for good, and why
npm start -- board                    jobs as a page, and /metrics

INPUT is a .npy file of [rows, classes] or a .parquet file with a column of lists; OUT is a .npy file.
  --operation NAME    softmax (default), log-softmax, token-log-probs, topk
  --targets T.npy     of token-log-probs: a class of each row
  -k N                of topk: how many (5)
  --column NAME       of Parquet, where there are several
  --rows-per-job N    by default rows of 32 MiB
  --attempts N        of a job before it is dead (5), 1, 2, 4, … seconds apart
  --force             replaces OUT
  --workers N         processes (2)
  --lock SECONDS      without a sign of life, until a job is another worker's (10)
  --port N            for the page and /metrics (0: any)
  --host NAME         for these (127.0.0.1)`;

const isCount = (number) => Number.isSafeInteger(number) && number > 0;
const isPort = (number) => Number.isSafeInteger(number) && number >= 0 && number < 65536;

function readArguments(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const options = {
    ...{ operation: text, out: text, targets: text, k: { ...text, short: 'k' }, column: text },
    ...{ 'rows-per-job': text, attempts: text, workers: text, lock: text, port: text, host: text },
    ...{ force: flag, retry: flag, quick: flag, help: flag },
  };
  const { values, positionals } = (() => {
    try {
      return parseArgs({ args, options, allowPositionals: true });
    } catch (error) {
      throw new Mistake(error.message);
    }
  })();
  const number = (name, isFine = isCount) => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name]);
    if (!isFine(value)) throw new Mistake(`--${name} can't be ${values[name]}`);
    return value;
  };
  return {
    ...values,
    positionals,
    k: number('k'),
    rowsPerJob: number('rows-per-job'),
    attempts: number('attempts'),
    workers: number('workers') ?? 2,
    lock: number('lock', (seconds) => seconds > 0) ?? 10,
    port: number('port', isPort),
  };
}

const print = (line) => console.log(line);

function printProgress({ done, dead, jobs, state }) {
  if (!process.stderr.isTTY) return;
  const text = state === 'active' ? 'is checked' : `${done} of ${jobs} jobs${dead ? `, ${dead} dead` : ''}`;
  process.stderr.write(`\r\x1b[K${text}${state === 'completed' ? '\n' : ''}`);
}

function printDead(dead) {
  for (const job of dead) print(`dead: ${job.id} after ${job.attemptsMade} attempts: ${job.failedReason}`);
}

/** 0 where the result is there. */
async function produce(options, url) {
  const [input, ...others] = options.positionals;
  if (input === undefined || others.length > 0 || !options.out) throw new Mistake('give INPUT --out OUT');
  const described = await describe({ ...options, input });
  const scorings = new Scorings(url, options);
  try {
    const { scoring, ranges } = described;
    const begin = performance.now();
    const { force } = options;
    const { isNew, dead, repaired } = await follow(scorings, described, { force, report: printProgress });
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    if (dead.length > 0) {
      printDead(dead);
      print(`${scoring.out}: ${dead.length} jobs are dead; the same command tries them again`);
      return 1;
    }
    const found = `${scoring.operation} of ${scoring.source.rows} rows`;
    if (!isNew) print(`${scoring.out}: ${found}: it was there`);
    else print(`${scoring.out}: ${found}, ${ranges.length} jobs, ${seconds} s`);
    if (repaired > 0) print(`${repaired} jobs were lost after they were done, and done again`);
    return 0;
  } finally {
    await scorings.close();
  }
}

/** Until SIGINT or SIGTERM. */
const untilStopped = () =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve(130));
  });

async function serve(options, url, workers) {
  if (options.port === undefined) return undefined;
  // Only here: it takes longer to load than all else.
  const { startServer } = await import('./board.mjs');
  const metrics = workers && (() => workers.metrics());
  const server = await startServer({ url, host: options.host, port: options.port, metrics });
  print(`${server.address}/board and ${server.address}/metrics`);
  return server;
}

async function work(options, url, task) {
  const workers = new Workers(options.workers, { url, lock: options.lock });
  const server = await serve(options, url, workers);
  try {
    return await Promise.race([untilStopped(), ...(task ? [task()] : [])]);
  } finally {
    await workers.stop();
    await server?.stop();
  }
}

async function score(options) {
  const { scoring } = await describe({ ...options, input: options.positionals[0] ?? '' });
  const directory = directoryFor(scoring.out);
  // Of a run that was interrupted, the output may be there, and its end not be known.
  if (existsSync(scoring.out) && !options.force && !existsSync(directory)) {
    throw new Mistake(`${scoring.out}: it exists: --force replaces it`);
  }
  const redis = await OwnRedis.start(directory);
  let code;
  try {
    code = await work(options, redis.url, () => produce(options, redis.url));
  } finally {
    await redis.stop({ toKeep: code !== 0 });
  }
  return code;
}

async function printStatus(scorings, [wanted]) {
  for (const { id, data } of await scorings.all()) {
    if (wanted !== undefined && id !== wanted) continue;
    const { state, done, jobs, dead } = await scorings.progress(id);
    print(`${id} ${state}: ${done} of ${jobs} jobs, ${dead} dead: ${data.scoring.out}`);
  }
  return 0;
}

async function listDead(scorings, [id], retry) {
  const dead = await scorings.dead(id);
  printDead(dead);
  if (retry) print(`${await scorings.retryDead(id)} jobs will be tried again`);
  return dead.length > 0 && !retry ? 1 : 0;
}

const commands = {
  demo: async (options) => (await import('./demo.mjs')).demo(options),
  score,
  producer: produce,
  worker: (options, url) => work(options, url),
  async board(options, url) {
    const server = await serve({ port: 3000, ...options }, url);
    await untilStopped();
    await server.stop();
    return 0;
  },
  async status({ positionals, retry }, url, command = 'status') {
    const scorings = new Scorings(url);
    try {
      if (command === 'status') return await printStatus(scorings, positionals);
      return await listDead(scorings, positionals, retry);
    } finally {
      await scorings.close();
    }
  },
  dead: (options, url) => commands.status(options, url, 'dead'),
};

async function main([command = 'demo', ...args]) {
  const options = readArguments(command.startsWith('-') ? [command] : args);
  if (options.help) {
    print(help);
    return 0;
  }
  if (!Object.hasOwn(commands, command)) throw new Mistake(`there is no ${command}: --help lists commands`);
  if (['demo', 'score'].includes(command)) return commands[command](options);
  const url = process.env.REDIS_URL;
  if (!url) throw new Mistake('REDIS_URL is missing, as in REDIS_URL=redis://:password@host:6379');
  await requireRedis(url);
  return commands[command](options, url);
}

try {
  // What is left open, as of a Redis that is gone, keeps no process.
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Mistake ? error.message : error);
  process.exit(error instanceof Mistake ? 2 : 1);
}
