// Loads the server, on this machine: tokens a second, and how much of the time sampling takes, with softmax-native and
// the JavaScript way.
//   npm run load [-- --quick]
//
// Two models: that of names, whose rows are short; and one of 32,000 tokens whose logits are ready and only copied, so
// that little but sampling is left. The share of a real one depends on how long it computes. While many rows of it are
// sampled away from the event loop, requests are read: the time has that in it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { backend, getThreads } from 'softmax-native';
import { mulberry32 } from '../names/random.mjs';
import { createNamesModel } from './names-model.mjs';
import { sampleRows } from './sampler.mjs';
import { createServer } from './server.mjs';
import { sampleSorted } from './sorted.mjs';

/** Logits as language models have them: a wide heap, and some far above it. */
function createWideModel(classes) {
  const random = mulberry32(1);
  // Twelve uniform numbers less 6: nearly normal.
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
  const ready = Array.from({ length: 8 }, () => {
    const row = Float32Array.from({ length: classes }, () => 2.2 * normal());
    for (let i = 0; i < 40; i++) row[Math.floor(random() * classes)] = 12 + 3 * normal();
    return row;
  });
  return {
    name: `${classes} tokens`,
    vocabulary: Array.from({ length: classes }, (_, token) => `<${token}>`),
    end: -1,
    mostTokens: 1024,
    encode: () => [],
    decode: (tokens) => tokens.map((token) => `<${token}>`).join(''),
    logits: (contexts) => {
      const all = new Float32Array(contexts.length * classes);
      for (const [row, context] of contexts.entries()) {
        all.set(ready[((context.at(-1) ?? 0) + context.length) % ready.length], row * classes);
      }
      return all;
    },
  };
}

/** In a process of its own: clients that ask one request after the other, and all go away when they are told to stop. */
async function beClients() {
  const { url, clients } = (await once(process, 'message'))[0];
  process.once('message', () => process.exit());
  const body = { temperature: 0.8, top_p: 0.9, max_tokens: 32, n: 4 };
  const ask = async () => {
    for (;;) {
      const response = await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(await response.text());
      await response.json();
    }
  };
  await Promise.all(Array.from({ length: clients }, ask));
}

/** The batch's figures over some seconds, after as many to warm up: a compiler needs thousands of steps. */
async function measure(model, sampler, clients, seconds) {
  const app = createServer(model, { sampler });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const child = fork(fileURLToPath(import.meta.url), ['--clients']);
  child.send({ url, clients });
  const stats = async () => ({ ...(await (await fetch(`${url}/stats`)).json()), time: performance.now() });
  const exit = once(child, 'exit');
  const failed = exit.then(() => Promise.reject(new Error('the clients failed')));
  const wait = (s) => Promise.race([new Promise((resolve) => setTimeout(resolve, 1000 * s)), failed]);
  // On a busy machine it takes seconds until the clients ask, or until a step is over.
  while ((await stats()).tokens === 0) await wait(0.1);
  await wait(seconds);
  const before = await stats();
  let after;
  do {
    await wait(seconds);
    after = await stats();
  } while (after.tokens === before.tokens);
  child.send('stop');
  const [code] = await exit;
  await app.close();
  if (code !== 0) throw new Error('the clients failed');
  const difference = (name) => after[name] - before[name];
  return {
    rate: difference('tokens') / (difference('time') / 1000),
    rows: difference('tokens') / difference('steps'),
    microseconds: (1000 * difference('sampler')) / difference('tokens'),
    share: Math.min(1, difference('sampler') / difference('time')), // a long step may begin before
  };
}

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, clients: { type: 'boolean', default: false } },
});
if (options.clients) {
  await beClients();
} else {
  const seconds = options.quick ? 1 : 5;
  const cpu = `${cpus()[0].model.trim()}, ${cpus().length} CPUs, Node ${process.versions.node}`;
  console.log(`${cpu}, ${backend.isa ?? 'JavaScript'}, ${getThreads()} threads; temperature 0.8, top_p 0.9`);
  const columns = ['tokens/s', 'rows a step', 'sampling a token', 'of all time'];
  console.log(`${''.padEnd(30)}${columns.map((column) => column.padStart(18)).join('')}`);
  for (const [model, clients] of [
    [await createNamesModel({ epochs: 1 }), 32],
    [createWideModel(options.quick ? 4000 : 32000), 4],
  ]) {
    for (const [name, sampler] of [
      ['softmax-native', sampleRows],
      ['sorted pairs', sampleSorted],
    ]) {
      const { rate, rows, microseconds, share } = await measure(model, sampler, clients, seconds);
      const cells = [
        rate.toFixed(0),
        rows.toFixed(1),
        `${microseconds.toFixed(1)} µs`,
        `${(100 * share).toFixed(0)} %`,
      ];
      console.log(`${`${model.name}, ${name}`.padEnd(30)}${cells.map((cell) => cell.padStart(18)).join('')}`);
    }
  }
}
