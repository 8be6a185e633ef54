// A process that has some classes of the layer: shards.mjs starts it. It answers requests by NATS, each of which may come
// again: after a timeout, or when the process was lost and came back. Equal requests have equal answers.

import { finishCrossEntropy, partial, setThreads, topK } from 'softmax-native';
import { readCheckpoint, writeCheckpoint } from './checkpoint.mjs';
import { Layer } from './layer.mjs';
import { connectTo } from './nats.mjs';
import { pack, unpack } from './wire.mjs';

class Shard {
  /** Logits of the step at hand: what `forward` made, for `backward`. Not there after a restart: made again. */
  #logits;

  /** `reach(point, step)`: for checks, which let the process die there. */
  constructor({ range, model, path }, reach) {
    Object.assign(this, { model, path, reach });
    const { step, weights, answer } = readCheckpoint(path) ?? { step: 0 };
    this.layer = new Layer(range, model, weights);
    this.step = step;
    this.answer = answer;
  }

  #shapeOf(hidden) {
    return [hidden.length / this.layer.size, this.layer.classes];
  }

  /** Weights of another step would give a wrong answer, and nobody would know. */
  #requireStep(step) {
    if (step !== this.step) throw new Error(`it has the weights of step ${this.step}, not ${step}`);
  }

  forward({ head: { step }, hidden, targets }) {
    this.#requireStep(step);
    this.#logits = this.layer.logits(hidden);
    // With `classes` the sums of all shards but one are refused.
    const of = { offset: this.layer.begin, classes: this.model.classes };
    return [{}, { state: partial(this.#logits, { shape: this.#shapeOf(hidden), ...of, target: targets }) }];
  }

  /** One step of descent, once: who asks again gets the answer that was given, or was about to be. */
  backward(request) {
    const { step } = request.head;
    this.reach('asked', step);
    if (step === this.step - 1) return [{ save: 0 }, { answer: this.answer }];
    this.#requireStep(step);
    // Until the checkpoint is there: where it can't be written, the weights are of no step.
    this.step = Number.NaN;
    const answer = this.#descend(request);
    const began = performance.now();
    writeCheckpoint(this.path, { step: step + 1, weights: this.layer.weights, answer }, this.reach);
    Object.assign(this, { step: step + 1, answer });
    this.reach('saved', step);
    return [{ save: performance.now() - began }, { answer }];
  }

  #descend({ head: { isHashed }, hidden, targets, state }) {
    const logits = this.#logits ?? this.layer.logits(hidden);
    this.#logits = undefined;
    const options = { shape: this.#shapeOf(hidden), offset: this.layer.begin, grad: logits };
    const { loss, logSumExp, grad } = finishCrossEntropy(logits, targets, state, options);
    const gradient = isHashed ? this.layer.hashesOf(grad) : [];
    this.layer.descend(grad, hidden, this.model.rate);
    return pack({ gradient }, { loss: Float64Array.of(loss), logSumExp });
  }

  /** The k largest logits of each row, and the sums of all for the log-probabilities of what is drawn. */
  candidates({ head: { step, k }, hidden }) {
    this.#requireStep(step);
    const logits = this.layer.logits(hidden);
    const shape = this.#shapeOf(hidden);
    const state = partial(logits, { shape, offset: this.layer.begin, classes: this.model.classes });
    return [{}, { state, ...topK(logits, Math.min(k, this.layer.classes), { shape }) }];
  }

  weights({ head: { step } }) {
    this.#requireStep(step);
    return [{ weights: this.layer.hashesOfWeights() }];
  }

  /** Milliseconds: `save` for the checkpoint, `compute` for the rest, `cpu` of processor time for both. */
  reply(bytes) {
    const began = performance.now();
    const used = process.cpuUsage();
    try {
      const request = unpack(bytes);
      const [{ save = 0, ...head }, arrays] = this[request.head.kind](request);
      const compute = performance.now() - began - save;
      const { user, system } = process.cpuUsage(used);
      return pack({ ...head, save, compute, cpu: (user + system) / 1000 }, arrays);
    } catch (error) {
      return pack({ error: error.message });
    }
  }
}

const { index, dies, address, ...options } = JSON.parse(process.env.SHARD);
// A process for each part of the layer: more threads would want the same cores.
setThreads(1);
const shard = new Shard(options, (point, step) => {
  if (dies === `${point} ${step}`) process.kill(process.pid, 'SIGKILL');
});
// Who started it is gone.
process.once('disconnect', () => process.exit());
const nats = await connectTo(address);
nats.subscribe(`shard.${index}`, {
  callback: (_error, message) => message.respond(shard.reply(message.data)),
});
// Once the server has the subscription: who waits for this shard may ask now.
await nats.flush();
nats.publish(`ready.${index}`);
await nats.closed();
process.exit();
