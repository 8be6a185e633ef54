// The workers of this machine: processes, of which one that ends before its time is replaced.

import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sumOf } from './metrics.mjs';

const program = fileURLToPath(new URL('worker.mjs', import.meta.url));

export class Workers {
  /** Of those that are gone, too: sums never fall. */
  #snapshots = new Map();
  #running = new Set();
  #isStopping = false;

  /** `lock`: see worker.mjs. */
  constructor(count, { url, lock }) {
    this.options = { url, lock };
    for (let i = 0; i < count; i++) this.#keep();
  }

  async #keep() {
    while (!this.#isStopping) {
      // Not in the arguments, which others may see: the address may have a password.
      const child = fork(program, { env: { ...process.env, SCORING_WORKER: JSON.stringify(this.options) } });
      this.#running.add(child);
      child.on('message', (snapshot) => this.#snapshots.set(child, snapshot));
      await new Promise((resolve) => child.once('exit', resolve));
      this.#running.delete(child);
      // One that can't even start is not started all the time.
      await sleep(200);
    }
  }

  get processIds() {
    return [...this.#running].map(({ pid }) => pid);
  }

  metrics() {
    return sumOf([...this.#snapshots.values()]);
  }

  /** After their jobs at hand. */
  async stop() {
    this.#isStopping = true;
    await Promise.all(
      [...this.#running].map((child) => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        if (child.connected) child.send('stop', () => {});
        return ended;
      }),
    );
  }
}
