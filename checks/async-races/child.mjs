// A process that ends in one of several ways while jobs are open. argv: package, how, seed.
import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { load } from './command.mjs';

const [root, how, seed] = process.argv.slice(2);
const delay = Number(seed) % 7;
const large = () => new Float32Array(400_000);
const shape = { shape: [400, 1000] };

const startJobs = async (count = 16) => {
  const api = await load(root);
  const begin = (i) =>
    [
      () => api.softmaxAsync(large(), i % 3 ? shape : undefined),
      () => api.crossEntropyAsync(large(), new Int32Array(400), { ...shape, grad: true }),
      () => api.softmaxBackwardAsync(large(), large(), { ...shape, transfer: true }),
      () => api.nllLossAsync(large(), new Int32Array(400), { ...shape, grad: true }),
    ][i % 4]();
  return Promise.all(Array.from({ length: count }, (_, i) => begin(i)));
};
const startWorker = (what) =>
  new Promise((resolve, reject) => {
    const workerData = { root, seed: Number(seed), jobs: 16, end: what, hasSignal: false };
    const worker = new Worker(new URL('doomed.mjs', import.meta.url), { workerData });
    worker.once('message', () => resolve(worker));
    worker.once('error', reject);
  });
const after = (milliseconds, action) =>
  milliseconds === 0 ? action() : setTimeout(action, milliseconds - 1);

const ways = {
  async 'process.exit'() {
    startJobs();
    await load(root);
    after(delay, () => process.exit(7));
  },
  async 'process.exit in a callback'() {
    startJobs().then(() => process.exit(7));
  },
  async 'natural end'() {
    startJobs().then((results) => {
      process.exitCode = results.length === 16 ? 7 : 1;
    });
  },
  async 'uncaught error'() {
    startJobs();
    await load(root);
    after(delay, () => {
      throw new Error('on purpose');
    });
  },
  async signal() {
    startJobs();
    await load(root);
    after(delay, () => process.kill(process.pid, 'SIGTERM'));
  },
  async 'process.exit beside a worker'() {
    await startWorker('natural');
    startJobs();
    after(delay, () => process.exit(7));
  },
  async 'only a worker has it'() {
    await startWorker('natural');
    after(delay, () => process.exit(7));
  },
  async 'a worker ends, then the process'() {
    const worker = await startWorker('natural');
    await worker.terminate();
    after(delay, () => process.exit(7));
  },
  async 'workers at once'() {
    const order = Number(seed) % 3;
    if (order === 0) await load(root);
    const workers = Array.from({ length: 4 }, (_, i) => startWorker(i % 2 ? 'natural' : 'exit'));
    if (order === 1) await load(root);
    await Promise.all((await Promise.all(workers)).map((worker) => delay > 3 && worker.terminate()));
    if (order === 2) await startJobs(4);
    process.exitCode = 7;
  },
  async 'children meanwhile'() {
    const jobs = startJobs(40);
    await load(root);
    for (let i = 0; i < 2; i++) {
      const { stdout } = spawnSync(process.execPath, ['-p', '6 * 7']);
      if (String(stdout).trim() !== '42') throw new Error('a child process failed');
    }
    await jobs;
    process.exitCode = 7;
  },
  async 'idle after a call'() {
    await startJobs(4);
    process.exitCode = 7; // and the event loop is empty
  },
};
await ways[how]();
