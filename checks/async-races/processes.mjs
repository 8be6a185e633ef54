// Processes that end with jobs in flight, in every way there is: the exit code is theirs, and no signal ends them.
//   node checks/async-races/processes.mjs [--count PROCESSES] [--seed N] [--package DIRECTORY]

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readCommand } from './command.mjs';

const { count, seed, root, together } = readCommand({ count: 55, together: 3 });
const child = fileURLToPath(new URL('child.mjs', import.meta.url));

/** How each must end: the exit code 7, if nothing else is said. */
const ends = {
  'process.exit': 7,
  'process.exit in a callback': 7,
  'natural end': 7,
  'uncaught error': 1,
  signal: 'SIGTERM',
  'process.exit beside a worker': 7,
  'only a worker has it': 7,
  'a worker ends, then the process': 7,
  'workers at once': 7,
  'children meanwhile': 7,
  'idle after a call': 7,
};
const names = Object.keys(ends);

/** At process.exit Node leaves much of its own memory to the system: a search for leaks would report that. */
const runsOut = ['natural end', 'workers at once', 'children meanwhile', 'idle after a call'];
const environmentOf = (how) =>
  runsOut.includes(how)
    ? process.env
    : { ...process.env, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` };

function run(number) {
  const how = names[number % names.length];
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [child, root, how, String(seed + number)], {
      env: environmentOf(how),
    });
    let stderr = '';
    running.stderr.on('data', (text) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      console.error(`processes: ${how}, number ${number}, does not end: process ${running.pid}`);
      running.kill('SIGABRT');
    }, 60_000);
    running.once('close', (code, signal) => {
      clearTimeout(timer);
      if ((signal ?? code) === ends[how]) resolve();
      else
        reject(
          new Error(`${how}, seed ${seed + number}: ended by ${signal ?? code}, not ${ends[how]}\n${stderr}`),
        );
    });
  });
}

console.log(`processes: seed ${seed}, Node ${process.versions.node}`);
const start = performance.now();
let next = 0;
const line = async () => {
  while (next < count) await run(next++);
};
await Promise.all(Array.from({ length: together }, line));
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`processes: ${count} ended as they must, in ${names.length} ways, ${seconds} s`);
