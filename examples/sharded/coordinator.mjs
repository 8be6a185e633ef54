// Asks the shards, merges what they send, and draws tokens. Nothing of the layer is here: only the number of the step.

import { setTimeout as sleep } from 'node:timers/promises';
import { RequestError, TimeoutError } from '@nats-io/transport-node';
import { finishLogSoftmax, gatherTopK, mergePartials, sample } from 'softmax-native';
import { Mistake } from './mistake.mjs';
import { connectTo } from './nats.mjs';
import { hashOfBlocks, rangesOf } from './numbers.mjs';
import { pack, unpack } from './wire.mjs';

/** Milliseconds: until a request is sent once more, and until it is given up. */
const interval = 5000;
const patience = 60_000;

const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

/** The milliseconds of the shard that all waited for. */
const slowest = (answers) =>
  answers.map(({ head }) => head).reduce((a, b) => (b.compute + b.save > a.compute + a.save ? b : a));

export class Coordinator {
  #nats;
  /** Of each shard: what goes on when it comes back. */
  #wake = [];
  /** Since the beginning: bytes there and back; milliseconds that the slowest shards computed and saved, the most `cpu`. */
  figures = { bytes: 0, compute: 0, save: 0, cpu: 0 };

  static async connect(address, count, model) {
    const coordinator = new Coordinator();
    Object.assign(coordinator, { model, ranges: rangesOf(model.classes, count) });
    coordinator.#nats = await connectTo(address);
    const callback = (_error, { subject }) => coordinator.#wake[subject.split('.')[1]]?.();
    coordinator.#nats.subscribe('ready.*', { callback });
    await coordinator.#nats.flush();
    return coordinator;
  }

  /** Never, if nobody is there: a shard says when it has come. */
  async #request(index, bytes) {
    try {
      return await this.#nats.request(`shard.${index}`, bytes, { timeout: patience });
    } catch (error) {
      const isNobody = error instanceof RequestError && error.isNoResponders();
      if (isNobody || error instanceof TimeoutError) return new Promise(() => {});
      throw this.#nats.isClosed() ? new Mistake('the connection to nats-server is lost') : error;
    }
  }

  /** Until it answers: a shard that is starting, or lost, is asked again as soon as it comes. */
  async #ask(index, bytes) {
    // Of one that is only slow the first answer is as good.
    const asked = [];
    for (const end = performance.now() + patience; performance.now() < end; ) {
      const isBack = new Promise((resolve) => {
        this.#wake[index] = resolve;
      });
      asked.push(this.#request(index, bytes));
      const message = await Promise.race([...asked, isBack, sleep(interval, undefined, { ref: false })]);
      if (message) return message.data;
    }
    throw new Error(`shard ${index} gives no answer`);
  }

  /** The same of all shards; their answers in the order of their classes. */
  async #askAll(head, arrays) {
    const request = pack(head, arrays);
    const answers = await Promise.all(
      this.ranges.map(async (_, index) => {
        const received = await this.#ask(index, request);
        this.figures.bytes += request.length + received.length;
        const answer = unpack(received);
        if (answer.head.error) throw new Error(`shard ${index}: ${answer.head.error}`);
        return answer;
      }),
    );
    const { compute, save } = slowest(answers);
    this.figures.compute += compute;
    this.figures.save += save;
    this.figures.cpu += Math.max(...answers.map((answer) => answer.head.cpu));
    return answers;
  }

  /** One step of descent. The second request has all of the first: a shard that comes back knows its weights alone. */
  async step(step, { hidden, targets }, { isHashed = true } = {}) {
    const sums = await this.#askAll({ kind: 'forward', step }, { hidden, targets });
    const state = mergePartials(sums.map((sum) => sum.state));
    const answers = await this.#askAll({ kind: 'backward', step, isHashed }, { hidden, targets, state });
    const results = answers.map(({ answer }) => unpack(answer));
    const [first, ...others] = results;
    for (const { loss, logSumExp } of others) {
      const isSame =
        bytesOf(loss).equals(bytesOf(first.loss)) && bytesOf(logSumExp).equals(bytesOf(first.logSumExp));
      if (!isSame) throw new Error('shards have other losses than each other');
    }
    const gradient = results.flatMap(({ head }) => head.gradient);
    return { loss: first.loss[0], logSumExp: [...first.logSumExp], gradient: hashOfBlocks(gradient) };
  }

  /** A token for each row, of the k most likely; log-probabilities among all classes. `step`: whose weights. */
  async draw(step, hidden, options) {
    const { classes } = this.model;
    const answers = await this.#askAll({ kind: 'candidates', step, k: options.topK }, { hidden });
    const rows = hidden.length / this.model.size;
    const parts = answers.map((answer, index) => ({ ...answer, offset: this.ranges[index].begin }));
    const logits = gatherTopK(parts, { classes, rows });
    const { tokens } = sample(logits, { ...options, shape: [rows, classes] });
    const chosen = Float32Array.from(tokens, (token, row) => logits[row * classes + token]);
    // sample's own are among the candidates: these need the sums of all classes. Rows of one logit do, as each is alone.
    const state = mergePartials(answers.map((answer) => answer.state));
    const logProbs = finishLogSoftmax(chosen, state, { shape: [rows, 1] });
    return { tokens, logProbs };
  }

  async hashOfWeights(step) {
    const answers = await this.#askAll({ kind: 'weights', step });
    return hashOfBlocks(answers.flatMap(({ head }) => head.weights));
  }

  async close() {
    await this.#nats.close();
  }
}
