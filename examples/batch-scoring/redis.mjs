// A Redis of one's own, for `score`: on loopback, on a free port, with a password, in a directory of its own, which keeps
// what is done when all is stopped or killed.

import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Mistake } from './mistake.mjs';

/** Not beside the output: on a full disk Redis, too, could not go on. */
export function directoryFor(path) {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'softmax-native-scoring', createHash('sha256').update(path).digest('hex').slice(0, 16));
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const urlOf = ({ port, password }) => `redis://:${password}@127.0.0.1:${port}`;

/** Whether that Redis answers and has that directory. */
async function isRunning(directory, address) {
  const redis = new Redis(urlOf(address), { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return (await redis.config('GET', 'dir'))[1] === directory;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

function isAlive(processId) {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** One at a time: two servers would write the same file. */
function lock(directory) {
  const path = join(directory, 'lock');
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = Number(readFileSync(path, 'utf8'));
      if (owner > 0 && isAlive(owner)) {
        throw new Mistake(`process ${owner} does this scoring already (else remove ${path})`);
      }
      rmSync(path, { force: true });
    }
  }
}

export class OwnRedis {
  #child;
  #isUp = false;
  #isStopping = false;

  /** Started again when it ends before its time. */
  static async start(directory) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const redis = new OwnRedis();
    redis.directory = directory;
    redis.unlock = lock(directory);
    try {
      await redis.#begin();
    } catch (error) {
      redis.unlock();
      throw error;
    }
    return redis;
  }

  async #begin() {
    const path = join(this.directory, 'address.json');
    try {
      // Of a run that was killed.
      this.address = JSON.parse(readFileSync(path, 'utf8'));
      if (await isRunning(this.directory, this.address)) return;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    this.address = { port: await freePort(), password: randomBytes(24).toString('hex') };
    writeFileSync(path, JSON.stringify(this.address), { mode: 0o600 });
    await this.#launch();
  }

  async #launch() {
    this.#isUp = false;
    const log = openSync(join(this.directory, 'redis.log'), 'a', 0o600);
    // In a group of its own: Ctrl-C is not for it, as workers still need it.
    const child = spawn('redis-server', ['-'], { stdio: ['pipe', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    child.stdin.on('error', () => {});
    child.stdin.end(
      [
        'bind 127.0.0.1',
        `port ${this.address.port}`,
        `requirepass ${this.address.password}`,
        `dir ${JSON.stringify(this.directory)}`,
        'appendonly yes',
        'save ""',
        '',
      ].join('\n'),
    );
    let failure;
    child.once('error', (error) => {
      failure =
        error.code === 'ENOENT'
          ? new Mistake('redis-server is missing. On Debian: apt-get install redis-server')
          : error;
    });
    child.once('exit', (code, signal) => {
      failure ??= new Error(`redis-server ended with ${signal ?? code}: see ${this.directory}/redis.log`);
      if (this.#isUp && !this.#isStopping) this.#launchAgain();
    });
    while (!(await isRunning(this.directory, this.address))) {
      if (failure) throw failure;
      await sleep(20);
    }
    this.#isUp = true;
  }

  #launchAgain() {
    this.#launch().catch(({ message }) => {
      console.error(message);
      process.exit(1);
    });
  }

  get url() {
    return urlOf(this.address);
  }

  get processId() {
    return this.#child?.pid;
  }

  /** What is done is kept, unless there is nothing left `toKeep`. */
  async stop({ toKeep }) {
    this.#isStopping = true;
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => {});
    await redis.connect().catch(() => {});
    await redis.shutdown().catch(() => {}); // it goes without an answer
    redis.disconnect();
    while (await isRunning(this.directory, this.address)) await sleep(20);
    if (!toKeep) rmSync(this.directory, { recursive: true, force: true });
    else this.unlock();
  }
}
