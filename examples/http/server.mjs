// A server that scores batches of logits: of each row the most probable class, and its probability.
//   npm run setup && npm start        (after `npm run build:all` of the package)
//
// POST /async/score?rows=64&classes=32000[&temperature=0.7], the logits as little-endian float32 in the body, answers
// { "classes": [17, …], "probabilities": [0.93, …] }. POST /sync/score answers the same, but nobody else while it computes.

import { stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import { softmax, softmaxAsync } from 'softmax-native';

const here = fileURLToPath(import.meta.url);
const mostBytes = 64 * 2 ** 20;

export function createServer() {
  const app = fastify();
  app.addContentTypeParser('application/octet-stream', (_request, stream) => readLogits(stream));

  // What the library refuses is the client's: rows × classes that are not the body's length, a temperature of -1.
  app.setErrorHandler((error, _request, reply) => {
    const status = error.fn === 'softmax' ? 400 : (error.statusCode ?? 500);
    return reply
      .code(status)
      .send({ code: error.code, message: status < 500 ? error.message : 'internal error' });
  });

  app.post('/async/score', { schema }, async (request, reply) => {
    const { logits, shape, temperature } = readScore(request);
    // The response closes early when the client goes away. (The request closes as soon as its body has been read.)
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    // transfer: nobody else needs the logits, so nothing is copied, and no memory is taken for the probabilities.
    const p = await softmaxAsync(logits, { shape, temperature, transfer: true, signal: gone.signal });
    return await bestOfSlices(p, shape);
  });

  app.post('/sync/score', { schema }, async (request) => {
    const { logits, shape, temperature } = readScore(request);
    const p = softmax(logits, { shape, temperature, out: logits });
    return bestOf(p, shape[1], 0, shape[0]);
  });

  // What else a server does: little, but it waits its turn.
  app.get('/health', async () => ({ isUp: (await stat(here)).isFile() }));
  return app;
}

/** Wrong kinds of values end here; whether they go together is for softmax to say. */
const schema = {
  querystring: {
    type: 'object',
    required: ['rows', 'classes'],
    properties: {
      rows: { type: 'integer', minimum: 0 },
      classes: { type: 'integer', minimum: 1 },
      temperature: { type: 'number', default: 1 },
    },
  },
};

/** Straight into memory of its own: a body as a Buffer would be copied once more, and may begin between two floats. */
async function readLogits(stream) {
  const length = Number(stream.headers['content-length']);
  if (!(length <= mostBytes)) throw refusal(413, 'ERR_SHAPE', `content-length must be at most ${mostBytes}`);
  if (length % 4 !== 0) throw refusal(400, 'ERR_SHAPE', `${length} bytes are no float32 numbers`);
  const memory = new ArrayBuffer(length);
  const bytes = new Uint8Array(memory);
  let end = 0;
  for await (const chunk of stream) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return new Float32Array(memory);
}

function readScore({ body, query }) {
  // A request without a body, or of another type, has not met the parser.
  if (!(body instanceof Float32Array)) {
    throw refusal(400, 'ERR_DTYPE', 'the logits are missing: send them as application/octet-stream');
  }
  return { logits: body, shape: [query.rows, query.classes], temperature: query.temperature };
}

function refusal(statusCode, code, message) {
  return Object.assign(new TypeError(message), { statusCode, code });
}

/**
 * What else takes long must make way too: finding the largest probabilities, in one thread, takes longer than computing
 * them all. Slices of some 50 µs, between which others have their turn.
 */
async function bestOfSlices(probabilities, [rows, classes]) {
  const slice = Math.ceil(65536 / classes);
  const best = { classes: [], probabilities: [] };
  for (let row = 0; row < rows; row += slice) {
    const some = bestOf(probabilities, classes, row, Math.min(rows, row + slice));
    best.classes.push(...some.classes);
    best.probabilities.push(...some.probabilities);
    await nextTurn();
  }
  return best;
}

function bestOf(probabilities, classes, begin, end) {
  const best = { classes: [], probabilities: [] };
  for (let row = begin; row < end; row++) {
    const first = row * classes;
    let index = first;
    for (let i = first, largest = -1; i < first + classes; i++) {
      if (probabilities[i] <= largest) continue;
      largest = probabilities[i];
      index = i;
    }
    best.classes.push(index - first);
    best.probabilities.push(probabilities[index]);
  }
  return best;
}

if (process.argv[1] === here) {
  console.log(await createServer().listen({ port: Number(process.env.PORT ?? 3000) }));
}
