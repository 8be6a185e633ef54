// All sequences of all requests that are being written: a step gives each its next token, by one call of the model and
// one of the sampler. New ones join, and those that are over leave, between two steps.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { sampleRows } from './sampler.mjs';

const mostRows = 256;

export class Batch {
  /** Steps and tokens so far, and the milliseconds that model and sampler took. */
  stats = { steps: 0, tokens: 0, model: 0, sampler: 0 };
  #sequences = [];
  #isRunning = false;

  constructor(model, sampler = sampleRows) {
    this.model = model;
    this.sampler = sampler;
  }

  get size() {
    return this.#sequences.length;
  }

  /**
   * A sequence has `tokens` (so far), `context` (the prompt's and those), `settings`, `seed`, `choice`, `top`; push(drawn)
   * takes its next token, and fail(error) says that there won't be any. It leaves when `isOver`.
   */
  add(sequence) {
    this.#sequences.push(sequence);
    if (!this.#isRunning) this.#run();
  }

  async #run() {
    this.#isRunning = true;
    while (this.#sequences.length > 0) {
      // Requests that have come meanwhile join; promises of a small model and of a few rows would not let them.
      await nextTurn();
      // The oldest first; others wait for a place.
      const rows = this.#sequences.slice(0, mostRows);
      try {
        await this.#step(rows);
      } catch (error) {
        for (const row of rows) fail(row, error);
      }
      this.#sequences = this.#sequences.filter(({ isOver }) => !isOver);
    }
    this.#isRunning = false;
  }

  async #step(rows) {
    const begin = performance.now();
    const logits = await this.model.logits(rows.map(({ context }) => context));
    const middle = performance.now();
    const drawn = await this.sampler(logits, this.model.vocabulary.length, rows);
    this.stats.sampler += performance.now() - middle;
    this.stats.model += middle - begin;
    this.stats.steps++;
    for (const [r, row] of rows.entries()) {
      if (row.isOver) continue; // the client went away meanwhile
      this.stats.tokens++;
      if (drawn[r].token < 0)
        fail(row, new RangeError('the model gave logits of which no token can be drawn'));
      else row.push(drawn[r]);
    }
  }
}

function fail(row, error) {
  row.isOver = true;
  row.fail(error);
}
