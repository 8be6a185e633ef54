// The processes of the shards on this machine, of which one that ends before its time is started again.

import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rangesOf } from './numbers.mjs';

const program = fileURLToPath(new URL('shard.mjs', import.meta.url));

export class Shards {
  #children = [];
  #isStopping = false;
  #kept;
  /** How many were lost. */
  losses = 0;

  /** `dies`: of some shards, where their first process kills itself. */
  constructor(count, { model, directory, address, dies = {} }) {
    const optionsOf = (range, index) => ({
      ...{ index, range, model, address, dies: dies[index] },
      path: join(directory, `shard-${index}`),
    });
    this.#kept = rangesOf(model.classes, count).map((range, index) => this.#keep(optionsOf(range, index)));
  }

  async #keep(options) {
    while (!this.#isStopping) {
      // Not in the arguments, which others may see: the address has a token.
      const child = fork(program, { env: { ...process.env, SHARD: JSON.stringify(options) } });
      this.#children[options.index] = child;
      await new Promise((resolve) => child.once('exit', resolve));
      if (!this.#isStopping) this.losses++;
      options.dies = undefined;
      // One that can't even start is not started all the time.
      if (!this.#isStopping) await sleep(50);
    }
  }

  kill(index) {
    this.#children[index].kill('SIGKILL');
  }

  async stop() {
    this.#isStopping = true;
    for (const child of this.#children) child.kill();
    await Promise.all(this.#kept);
  }
}
