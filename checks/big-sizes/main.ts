// Runs each case of cases.ts in a process of its own, where there is memory for it, and says what it took.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cases, longest } from './cases.js';

const [first, only] = process.argv.slice(2);

/** What other processes have not in use; caches are given up. */
function freeBytes(): number {
  try {
    const [, kibibytes] = /MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    return Number(kibibytes) * 1024;
  } catch {
    return freemem();
  }
}

if (first === '--case') {
  const found = cases.find(({ name }) => name === only);
  if (found === undefined) throw new Error(`there is no case ${only}`);
  const begin = performance.now();
  const elements = found.run();
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const cpu = process.cpuUsage();
  const cpuSeconds = ((cpu.user + cpu.system) / 1e6).toFixed(1);
  const peak = (process.resourceUsage().maxRSS / 2 ** 20).toFixed(1);
  const power = Math.log2(elements) >= 32 && elements > 2 ** 32 ? '2^32' : '2^31';
  const size = `${elements} elements (${power} + ${elements - (power === '2^32' ? 2 ** 32 : 2 ** 31)})`;
  console.log(`${found.name}: ${size}: right; ${seconds} s, CPU ${cpuSeconds} s, memory ${peak} GiB`);
} else {
  console.log(`${process.version}, arrays up to ${longest} elements`);
  const wanted = process.argv.slice(2).filter((argument) => argument !== '--quick');
  const isQuick = process.argv.includes('--quick');
  for (const { name, gibibytes } of cases) {
    if (isQuick && gibibytes > 1) continue;
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    const free = freeBytes() / 2 ** 30;
    if (free < gibibytes + 2) {
      console.log(`${name}: skipped, ${gibibytes} GiB and 2 to spare needed, ${free.toFixed(1)} free`);
      continue;
    }
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--case', name];
    const { status, signal } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) {
      console.error(`${name}: failed (${signal ?? status})`);
      process.exitCode = 1;
    }
  }
}
