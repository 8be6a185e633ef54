// Processes and workers that end while asynchronous calls are under way: a few of each way. checks/async-races has many.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const setUp = `
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
const load = () => import('softmax-native');
const jobs = ({ softmaxAsync, crossEntropyAsync }) => Promise.all(
  Array.from({ length: 16 }, (_, i) => i % 2
    ? softmaxAsync(new Float32Array(400_000), { shape: [400, 1000] })
    : crossEntropyAsync(new Float32Array(400_000), new Int32Array(400), { shape: [400, 1000], grad: true })));
const source = (code) => new URL('data:text/javascript,' + encodeURIComponent(code));
`;

/** What a program prints; it must end by itself with that exit code, and complain of nothing. */
function run(code: string, exitCode = 0): string {
  const args = ['--input-type=module', '--eval', setUp + code];
  const options = { cwd: root, encoding: 'utf8', timeout: 60_000 } as const;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, options);
  expect({ stderr, status, signal }).toEqual({ stderr: '', status: exitCode, signal: null });
  return stdout.trim();
}

/** In a worker that finds the package as this process does: by its main file. */
const inWorker = (code: string) => `
  const entry = import.meta.resolve('softmax-native');
  const worker = new Worker(source(
    "import { parentPort } from 'node:worker_threads'; const jobs = " + jobs + ";" +
    "const load = () => import(" + JSON.stringify(entry) + ");" + ${JSON.stringify(code)}));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const told = new Promise((resolve) => worker.once('message', resolve));
`;

describe('a process', () => {
  test('exits in the middle of jobs', () => {
    run('jobs(await load()); process.exit(7);', 7);
    run('jobs(await load()); setTimeout(() => process.exit(7), 2);', 7);
  });

  test('that has nothing else to do resolves its open jobs first', () => {
    expect(run('jobs(await load()).then((results) => console.log(results.length));')).toBe('16');
  });

  test('has as many threads as SOFTMAX_THREADS says, unless they are set', () => {
    const code = 'const { getThreads, setThreads } = await load(); console.log(getThreads()); setThreads(4);';
    const other = 'await import("softmax-native/native"); console.log(getThreads());';
    expect(run(`process.env.SOFTMAX_THREADS = '3'; ${code} ${other}`)).toBe('3\n4');
  });

  test('that is done with its jobs ends', () => {
    expect(run('await jobs(await load()); console.log("done");')).toBe('done');
  });

  test('ends by an error in the middle of jobs', () => {
    expect(
      run(
        `process.on('uncaughtException', ({ message }) => { console.log(message); process.exit(3); });
        jobs(await load()); setImmediate(() => { throw new Error('on purpose'); });`,
        3,
      ),
    ).toBe('on purpose');
  });

  test('that only loads the library ends', () => {
    run('(await load()).setThreads(4);');
  });

  test('starts children in the middle of jobs', () => {
    const code = `import { execFileSync } from 'node:child_process';
      const all = jobs(await load());
      console.log(String(execFileSync(process.execPath, ['-p', '6 * 7'])).trim(), (await all).length);`;
    expect(run(code)).toBe('42 16');
  });
});

describe('a worker', () => {
  test('that alone has the addon, with jobs to their end', () => {
    const code = 'load().then(jobs).then(({ length }) => parentPort.postMessage(length));';
    expect(run(`${inWorker(code)} console.log(await told, await ended);`)).toBe('16 0');
  });

  test('is terminated with jobs in flight, and the library works on in others', () => {
    const code = "load().then((api) => { jobs(api); parentPort.postMessage('open'); });";
    const end = `await told; await worker.terminate(); console.log((await jobs(await load())).length);`;
    expect(run(`${inWorker(code)} ${end}`)).toBe('16');
  });

  test('exits by itself in the middle of jobs', () => {
    const code = 'load().then((api) => { jobs(api); process.exit(5); });';
    expect(run(`${inWorker(code)} console.log(await ended);`)).toBe('5');
  });

  test('has jobs in flight when the process exits', () => {
    const code = "load().then((api) => { jobs(api); parentPort.postMessage('open'); });";
    run(`${inWorker(code)} await told; jobs(await load()); process.exit(7);`, 7);
  });
});
