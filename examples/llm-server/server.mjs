// A language model behind OpenAI's completions: POST /v1/completions. Each step of all requests together is one call of
// sample, or of sampleAsync where there are many logits.
//   npm run setup && npm start        (after `npm run build:all` of the package)
//
//   curl localhost:3000/v1/completions -H 'content-type: application/json' \
//     -d '{ "prompt": "mar", "temperature": 0.8, "top_p": 0.95, "seed": 1, "n": 3, "logprobs": 2 }'
//
// prompt, max_tokens, temperature, top_p, logit_bias, seed, logprobs, n, stop, stream, stream_options and both penalties
// are as there; top_k and min_p as in vLLM; logprobs may also be true, with top_logprobs as in chats. The answer has the
// seed, also if none was given. The same request with the same seed gets the same text, whatever others ask meanwhile.
//
// Environment: PORT; EPOCHS of the model of names, which is trained at start; MODEL, a folder with another model for
// transformers.js (npm install --no-save @huggingface/transformers).

import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import { backend } from 'softmax-native';
import { Batch } from './batch.mjs';
import { Choice } from './choice.mjs';
import { RequestError, readRequest } from './parameters.mjs';

export function createServer(model, { sampler, logger = false } = {}) {
  const app = fastify({ logger });
  const batch = new Batch(model, sampler);

  app.setErrorHandler((error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error(error);
    return reply.code(status).send(errorBody(error, status));
  });
  app.setNotFoundHandler((request) => {
    throw new RequestError(null, `there is no ${request.method} ${request.url}`, { statusCode: 404 });
  });

  app.post('/v1/completions', async ({ body }, reply) => {
    const request = readRequest(body, model);
    const head = {
      id: `cmpl-${randomUUID()}`,
      object: 'text_completion',
      created: Math.floor(Date.now() / 1000),
    };
    const completion = { ...head, model: model.name, seed: request.seed };
    if (request.isStream) return await stream(reply, batch, request, completion);
    return await complete(reply, batch, request, completion);
  });
  app.get('/v1/models', () => ({ object: 'list', data: [{ id: model.name, object: 'model' }] }));
  app.get('/stats', () => ({ ...batch.stats, size: batch.size }));
  return app;
}

/** OpenAI's shape of errors. What went wrong inside is for the log. */
function errorBody({ message, param = null, code = null }, status) {
  const error =
    status < 500
      ? { message, type: 'invalid_request_error', param, code }
      : { message: 'internal error', type: 'server_error', param: null, code: null };
  return { error };
}

/**
 * Writes all choices; onPiece(choice, index, piece) is called as they grow. The promise is over when they are, is
 * rejected if one fails, and all end when the client goes away.
 */
function write(reply, batch, request, onPiece) {
  const { prompts, n } = request;
  const choices = [];
  const written = new Promise((resolve, reject) => {
    const end = () => {
      for (const choice of choices) choice.isOver = true;
    };
    // The response closes early when the client goes away. (The request closes as soon as its body has been read.)
    reply.raw.once('close', () => {
      end();
      resolve(choices);
    });
    const onError = (error) => {
      end();
      reject(error);
    };
    for (const prompt of prompts) {
      for (let number = 0; number < n; number++) {
        const index = choices.length;
        const take = (piece) => {
          onPiece(choices[index], index, piece);
          if (choices.every(({ isOver }) => isOver)) resolve(choices);
        };
        choices.push(new Choice(batch.model, request, prompt, number, { onPiece: take, onError }));
      }
    }
  });
  for (const choice of choices) batch.add(choice);
  return written;
}

async function complete(reply, batch, request, completion) {
  const pieces = request.prompts.flatMap(() => Array.from({ length: request.n }, () => []));
  const choices = await write(reply, batch, request, (_choice, index, piece) => pieces[index].push(piece));
  return {
    ...completion,
    choices: choices.map(({ finishReason }, index) =>
      choiceBody(batch.model, request, index, pieces[index], finishReason),
    ),
    usage: usageOf(choices),
  };
}

async function stream(reply, batch, request, completion) {
  // From here on the response is not fastify's. A client that reads slowly has max_tokens of it in memory at most.
  reply.hijack();
  const { raw } = reply;
  const send = (data) => raw.write(`data: ${JSON.stringify(data)}\n\n`);
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  try {
    const choices = await write(reply, batch, request, ({ finishReason }, index, piece) =>
      send({ ...completion, choices: [choiceBody(batch.model, request, index, [piece], finishReason)] }),
    );
    if (request.isUsageStreamed) send({ ...completion, choices: [], usage: usageOf(choices) });
    raw.write('data: [DONE]\n\n');
  } catch (error) {
    reply.log.error(error);
    send(errorBody(error, 500));
  }
  raw.end();
}

function choiceBody({ vocabulary }, { top }, index, pieces, finishReason) {
  const tokens = pieces.flatMap((piece) => piece.tokens);
  // The drawn token is there too, if it is none of the most likely ones. Of equal texts the likelier stays.
  const topOf = (drawn) => {
    const logProbs = Object.create(null); // a token may read 'constructor'
    for (const { token, logProb } of [...drawn.top, drawn]) {
      if (token >= 0) logProbs[vocabulary[token]] ??= logProb;
    }
    return logProbs;
  };
  const logprobs =
    top === undefined
      ? null
      : {
          tokens: tokens.map(({ token }) => vocabulary[token]),
          token_logprobs: tokens.map(({ logProb }) => logProb),
          top_logprobs: tokens.map(topOf),
          text_offset: tokens.map(({ offset }) => offset),
        };
  return { text: pieces.map(({ text }) => text).join(''), index, logprobs, finish_reason: finishReason };
}

function usageOf(choices) {
  const prompts = new Set(choices.map(({ prompt }) => prompt));
  const prompt = [...prompts].reduce((sum, { length }) => sum + length, 0);
  const completion = choices.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { EPOCHS = '4', MODEL, PORT = '3000' } = process.env;
  console.log(`backend ${backend.isa ?? 'JavaScript'}; ${MODEL ?? `training on names, ${EPOCHS} epochs`} …`);
  const model = MODEL
    ? await (await import('./transformers-model.mjs')).createTransformersModel(MODEL)
    : await (await import('./names-model.mjs')).createNamesModel({ epochs: Number(EPOCHS) });
  console.log(await createServer(model, { logger: { level: 'error' } }).listen({ port: Number(PORT) }));
}
