// What a step costs with 1, 2 and 4 processes, and of that: what shards compute, their checkpoints, and the exchange.

import { availableParallelism } from 'node:os';
import { backend, setThreads } from 'softmax-native';
import { withShards } from './run.mjs';
import { large, Task } from './task.mjs';
import { Whole } from './whole.mjs';

const warmUp = 2;

/** The step that took as long as half of them, in milliseconds, with what the layer counted in it. */
async function middleStep(layer, steps) {
  const task = new Task(large);
  const all = [];
  for (let step = 0; step < warmUp + steps; step++) {
    const batch = task.batch(step);
    const before = { ...layer.figures };
    const began = performance.now();
    // Hashes of gradients are for checks.
    await layer.step(step, batch, { isHashed: false });
    const total = performance.now() - began;
    const counted = Object.entries(layer.figures ?? {}).map(([name, value]) => [name, value - before[name]]);
    all.push({ total, ...Object.fromEntries(counted) });
  }
  return all.slice(warmUp).sort((a, b) => a.total - b.total)[steps >> 1];
}

const milliseconds = (number) => `${number.toFixed(1)} ms`.padStart(11);
const part = (number, total) => milliseconds(number) + `${Math.round((100 * number) / total)} %`.padStart(6);

function say(count, { total, compute, save, cpu, bytes }, one) {
  const exchange = total - compute - save;
  const parts = [compute, save, exchange].map((number) => part(number, total)).join('');
  const factor = `${(one / total).toFixed(2)}×`.padStart(9);
  const kibibytes = `${(bytes / 1024).toFixed(0)} KiB`.padStart(12);
  console.log(
    `${String(count).padStart(9)}${milliseconds(total)}${factor}${parts}${milliseconds(cpu)}${kibibytes}`,
  );
}

export async function measure({ quick }) {
  const steps = quick ? 5 : 31;
  const { classes, size, rows } = large;
  console.log(
    `${classes} classes, hidden vectors of ${size}, ${rows} rows; the middle one of ${steps} steps`,
  );
  console.log(`${availableParallelism()} cores, backend ${backend.isa ?? backend.kind}, a thread each\n`);
  setThreads(1);
  const { total } = await middleStep(new Whole(large), steps);
  console.log(
    'processes     a step   faster          compute       checkpoint         exchange        CPU   exchanged',
  );
  console.log(`${'no NATS'.padStart(9)}${milliseconds(total)}`);
  let one;
  for (const count of [1, 2, 4]) {
    const middle = await withShards(count, large, (layer) => middleStep(layer, steps));
    one ??= middle.total;
    say(count, middle, one);
  }
  console.log('\ncompute, checkpoint: of the shard that is waited for, also while that waits for a core.');
  console.log('CPU: the processor time of the shard that needs most, whatever else the cores have to do.');
}
