// That the server does what it says, asked by OpenAI's own client. The last line is a hash of what it answered, which
// must be the same on every backend.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { logSoftmax, sample } from 'softmax-native';
import { createNamesModel } from './names-model.mjs';
import { createServer } from './server.mjs';

const model = await createNamesModel({ epochs: 1 });
const app = createServer(model);
const address = await app.listen({ host: '127.0.0.1', port: 0 });
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: 'none', maxRetries: 0 });
const ask = (parameters, options) => client.completions.create({ model: 'names', ...parameters }, options);
const textsOf = ({ choices }) => choices.map(({ text }) => text);
const statsOf = async () => (await fetch(`${address}/stats`)).json();

async function collect(stream) {
  const texts = [];
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    for (const { index, text } of chunk.choices) texts[index] = (texts[index] ?? '') + text;
  }
  return { texts, chunks };
}

async function checkSeeds() {
  const request = {
    prompt: ['ma', 'jo'],
    temperature: 1.2,
    top_p: 0.9,
    top_k: 12,
    min_p: 0.02,
    n: 4,
    seed: 7,
  };
  const first = await ask(request);
  assert.deepEqual(textsOf(await ask(request)), textsOf(first), 'a seed repeats');
  assert.deepEqual(
    first.choices.map(({ index }) => index),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.ok(new Set(textsOf(first)).size > 3, 'choices differ');
  assert.notDeepEqual(textsOf(await ask({ ...request, seed: 8 })), textsOf(first), 'seeds differ');
  const alone = await ask({ ...request, prompt: 'jo', n: 1 });
  assert.equal(alone.choices[0].text, first.choices[4].text, 'a choice is what it is alone');
  const context = model.encode('jo');
  const settings = { temperature: 1.2, topP: 0.9, topK: 12, minP: 0.02, seed: 7 };
  for (let step = 0; step === 0 || context.at(-1) !== model.end; step++) {
    context.push(sample(model.logits([context]), { ...settings, step }).tokens[0]);
  }
  assert.equal(alone.choices[0].text, model.decode(context.slice(2, -1)), 'the tokens of sample');
  const fresh = await ask({ prompt: 'ma', temperature: 1.5, n: 4 });
  const again = await ask({ prompt: 'ma', temperature: 1.5, n: 4, seed: fresh.seed });
  assert.deepEqual(textsOf(again), textsOf(fresh), 'the seed that was made repeats');
  const tokens = await ask({ ...request, prompt: model.encode('jo'), n: 1 });
  assert.equal(tokens.choices[0].text, alone.choices[0].text, 'a prompt of tokens');
  assert.equal(first.usage.prompt_tokens, 4);
  const [greedy] = textsOf(await ask({ temperature: 0, max_tokens: 12 }));
  for (const filter of [{ top_k: 1 }, { top_p: 1e-6 }, { min_p: 1 }]) {
    assert.deepEqual(textsOf(await ask({ ...filter, max_tokens: 12, n: 2 })), [greedy, greedy]);
  }
  return textsOf(first);
}

async function checkLogprobs() {
  const { choices } = await ask({ prompt: 'An', seed: 3, n: 3, logprobs: 3 });
  for (const { text, logprobs } of choices) {
    const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs;
    assert.equal(tokens.join(''), text);
    for (const [i, token] of tokens.entries()) {
      const context = [model.encode(`an${text.slice(0, i)}`)];
      const expected = logSoftmax(model.logits(context));
      const logProbOf = (letter) => expected[model.encode(letter)[0]];
      assert.equal(token_logprobs[i], logProbOf(token), 'the bits of logSoftmax');
      assert.equal(text_offset[i], 2 + i);
      const top = Object.entries(top_logprobs[i]);
      assert.ok(top.length === 3 || top.length === 4);
      assert.equal(top_logprobs[i][token], token_logprobs[i]);
      for (const [letter, logProb] of top) assert.equal(logProb, logProbOf(letter));
      assert.equal(top[0][1], Math.max(...expected));
    }
  }
  const chat = await ask({ prompt: 'An', seed: 3, n: 3, logprobs: true, top_logprobs: 3 });
  assert.deepEqual(chat.choices, choices, 'as chats ask for it');
  const none = await ask({ prompt: 'An', seed: 3 });
  assert.equal(none.choices[0].logprobs, null);
  const only = await ask({ prompt: 'An', seed: 3, logprobs: 0 });
  assert.deepEqual(only.choices[0].logprobs.token_logprobs, choices[0].logprobs.token_logprobs);
  return choices;
}

async function checkStreams() {
  const request = { prompt: 'ca', temperature: 1, seed: 5, n: 3, max_tokens: 8, logprobs: 1 };
  const whole = await ask(request);
  const options = { stream: true, stream_options: { include_usage: true } };
  const { texts, chunks } = await collect(await ask({ ...request, ...options }));
  assert.deepEqual(texts, textsOf(whole), 'a stream has the same text');
  assert.deepEqual(chunks.at(-1).usage, whole.usage);
  for (const { index, finish_reason, logprobs } of whole.choices) {
    const own = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index);
    assert.deepEqual(
      own.map((choice) => choice.finish_reason),
      [...own.slice(1).map(() => null), finish_reason],
    );
    const streamed = own.flatMap((choice) => choice.logprobs.token_logprobs);
    assert.deepEqual(streamed, logprobs.token_logprobs);
  }
  const response = await fetch(`${address}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...request, stream: true }),
  });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.match(await response.text(), /^(data: \{.*\}\n\n)+data: \[DONE\]\n\n$/);
}

async function checkStops() {
  const request = { seed: 11, max_tokens: 40, logit_bias: { 0: -100 } };
  const [whole] = (await ask(request)).choices;
  assert.equal(whole.text.length, 40);
  assert.equal(whole.finish_reason, 'length');
  const stop = whole.text.slice(20, 23);
  const before = whole.text.slice(0, whole.text.indexOf(stop));
  const stops = ['zzzzzz', stop];
  const [stopped] = (await ask({ ...request, stop: stops, logprobs: 0 })).choices;
  assert.deepEqual([stopped.text, stopped.finish_reason], [before, 'stop']);
  assert.equal(stopped.logprobs.tokens.join(''), before);
  const { texts } = await collect(await ask({ ...request, stop, stream: true }));
  assert.deepEqual(texts, [before], 'nothing of the stop is streamed');
  const [ended] = (await ask({ prompt: 'mary', logit_bias: { 0: 100 } })).choices;
  assert.deepEqual([ended.text, ended.finish_reason], ['', 'stop']);
  const [biased] = (await ask({ logit_bias: { 26: 100 }, max_tokens: 5 })).choices;
  assert.equal(biased.text, 'zzzzz');
  // A letter that was there costs 2 each time: the model can't stay with one.
  const penalties = { temperature: 0, frequency_penalty: 2, presence_penalty: 2, max_tokens: 26 };
  const [varied] = (await ask({ ...penalties, logit_bias: { 0: -100 } })).choices;
  assert.ok(new Set(varied.text).size > 15, varied.text);
}

async function checkRefusals() {
  for (const [parameters, param, message, status = 400] of [
    [{ temperature: -1 }, 'temperature', /^temperature must be a number from 0 to 2, not -1$/],
    [{ temperature: '1' }, 'temperature', /not "1"$/],
    [{ top_p: 0 }, 'top_p', /^top_p must be a number above 0, at most 1, not 0$/],
    [{ top_k: 1.5 }, 'top_k', /an integer/],
    [{ min_p: 2 }, 'min_p', /from 0 to 1/],
    [{ logit_bias: { 27: 1 } }, 'logit_bias', /"27" is no token from 0 to 26/],
    [{ logit_bias: { 3: 101 } }, 'logit_bias', /from -100 to 100, not 101/],
    [{ seed: 0.5 }, 'seed', /integer/],
    [{ logprobs: 21 }, 'logprobs', /from 0 to 20, not 21/],
    [{ top_logprobs: 2 }, 'top_logprobs', /needs logprobs: true/],
    [{ n: 0 }, 'n', /from 1 to 128/],
    [{ n: 100, prompt: ['a', 'b'] }, 'n', /more than 128 choices/],
    [{ max_tokens: 0 }, 'max_tokens', /from 1 to 4096/],
    [{ max_tokens: 4096, prompt: 'a' }, 'max_tokens', /more than 4096/],
    [{ stop: ['a', ''] }, 'stop', /not empty/],
    [{ stream: 'yes' }, 'stream', /true or false/],
    [{ stream_options: { include_usage: true } }, 'stream_options', /needs stream: true/],
    [{ prompt: 'mary ann' }, 'prompt', /" " is no letter/],
    [{ prompt: [1, 99] }, 'prompt', /integers from 0 to 26/],
    [{ prompt: 5 }, 'prompt', /must be a string/],
    [{ best_of: 3 }, 'best_of', /unknown parameter/],
    [{ model: 'gpt-4' }, 'model', /there is "names"/, 404],
  ]) {
    await assert.rejects(ask(parameters), (error) => {
      assert.ok(error instanceof OpenAI.APIError, JSON.stringify(parameters));
      assert.deepEqual([error.status, error.param, error.type], [status, param, 'invalid_request_error']);
      assert.match(error.error.message, message);
      return true;
    });
  }
  for (const [body, status] of [
    ['{', 400],
    ['[]', 400],
    ['null', 400],
  ]) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${address}/v1/completions`, { method: 'POST', headers, body });
    assert.equal(response.status, status);
    assert.equal((await response.json()).error.type, 'invalid_request_error');
  }
}

/** Clients that go away, with a stream or without: nothing goes on for them. */
async function checkAborts() {
  const endless = { max_tokens: 4000, n: 4, logit_bias: { 0: -100 } };
  for (let i = 0; i < 12; i++) {
    const controller = new AbortController();
    const { signal } = controller;
    if (i % 2) {
      for await (const _ of await ask({ ...endless, stream: true }, { signal })) break;
    } else {
      const answer = ask(endless, { signal });
      setTimeout(() => controller.abort(), 3 * i);
      await assert.rejects(answer, OpenAI.APIUserAbortError);
    }
  }
  for (let i = 0; (await statsOf()).size > 0; i++) {
    assert.ok(i < 100, 'sequences of clients that are gone go on');
    await sleep(20);
  }
}

/** Each gets what it gets alone, and steps are shared. */
async function checkCrowd() {
  const requests = Array.from({ length: 100 }, (_, i) => ({
    prompt: ['', 'k', 'lu', 'theo'][i % 4],
    temperature: [0, 0.5, 1, 1.5, 2][i % 5],
    top_p: i % 3 ? 0.9 : 1,
    seed: i,
    n: 1 + (i % 2),
    ...(i % 7 === 0 && { logit_bias: { [i % 27]: 5 } }),
    ...(i % 6 === 0 && { logprobs: 2 }),
  }));
  const alone = [];
  for (const request of requests) alone.push(await ask(request));
  const before = await statsOf();
  const together = await Promise.all(
    requests.map((request, i) => (i % 10 === 0 ? ask({ ...request, stream: true }) : ask(request))),
  );
  for (const [i, answer] of together.entries()) {
    if (i % 10 === 0) assert.deepEqual((await collect(answer)).texts, textsOf(alone[i]));
    else assert.deepEqual(answer.choices, alone[i].choices);
  }
  const { steps, tokens } = await statsOf();
  const perStep = (tokens - before.tokens) / (steps - before.steps);
  assert.ok(perStep > 5, `${perStep} tokens a step`);
  console.log(`llm-server: 100 clients: ${perStep.toFixed(0)} tokens a step`);
  return alone.map(textsOf);
}

/** Tokens that are bytes of UTF-8, of one text only; and models that fail. */
async function checkOtherModels() {
  const text = 'größer als 3 €, 😀';
  const bytes = Buffer.from(text);
  const create = (logits) =>
    createServer({
      name: 'bytes',
      vocabulary: Array.from({ length: 257 }, (_, byte) => `<${byte}>`),
      end: 256,
      mostTokens: 100,
      encode: (some) => [...Buffer.from(some)],
      decode: (tokens) => Buffer.from(tokens).toString(),
      logits,
    });
  const ask = async (server, parameters) => {
    const payload = { prompt: 'g', temperature: 0, max_tokens: 50, ...parameters };
    return await server.inject({ method: 'POST', url: '/v1/completions', payload });
  };
  const right = create((contexts) => {
    const logits = new Float32Array(257 * contexts.length);
    for (const [row, { length }] of contexts.entries()) logits[257 * row + (bytes[length] ?? 256)] = 9;
    return logits;
  });
  const [choice] = (await ask(right, { logprobs: 0 })).json().choices;
  assert.equal(choice.text, text.slice(1));
  assert.equal(choice.logprobs.tokens.length, bytes.length - 1);
  const chunks = (await ask(right, { stream: true })).body.match(/"text":"[^"]*"/g);
  assert.deepEqual(
    chunks.map((chunk) => JSON.parse(`{${chunk}}`).text),
    [...Array.from(text).slice(1), ''],
    'whole characters',
  );
  for (const logits of [
    () => Promise.reject(new Error('a secret')),
    // The first row only: its failure ends the other choice too.
    (contexts) => new Float32Array(257 * contexts.length).fill(Number.NaN, 0, 257),
    () => new Float32Array(3),
  ]) {
    const wrong = create(logits);
    const whole = await ask(wrong, {});
    const error = { message: 'internal error', type: 'server_error', param: null, code: null };
    assert.deepEqual([whole.statusCode, whole.json()], [500, { error }]);
    const { body } = await ask(wrong, { stream: true, n: 2 });
    assert.equal(body, `data: ${JSON.stringify({ error })}\n\n`);
    assert.equal((await wrong.inject('/stats')).json().size, 0);
  }
}

const answers = [await checkSeeds(), await checkLogprobs()];
await checkStreams();
await checkStops();
await checkRefusals();
await checkAborts();
await checkOtherModels();
answers.push(await checkCrowd());
assert.deepEqual(await checkSeeds(), answers[0], 'after all that');
assert.equal((await client.models.list()).data[0].id, 'names');
await app.close();
console.log('llm-server: seeds, log-probabilities, streams, stops, refusals and aborted requests are right');
console.log(`answers ${createHash('sha256').update(JSON.stringify(answers)).digest('hex').slice(0, 16)}`);
