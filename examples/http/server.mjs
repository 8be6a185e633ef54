// A server that scores batches of logits: of each row the most probable class, and its probability at some temperatures.
//   npm run setup && npm start        (after `npm run build` of the package)
//
// POST /async/score?rows=256&classes=4096&temperatures=0.7,1, the logits as little-endian float32 in the body, answers
// { "classes": [17, …], "probabilities": [[0.93, …], [0.81, …]] }: a list for each temperature. POST /sync/score answers
// the same, but nobody else while it computes.

import { stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import { softmax, softmaxAsync } from 'softmax-native';

const here = fileURLToPath(import.meta.url);
const mostBytes = 64 * 2 ** 20;
const mostTemperatures = 64;

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
    const { logits, shape, temperatures } = readScore(request);
    // The response closes early when the client goes away. (The request closes as soon as its body has been read.)
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());

    const answer = { classes: undefined, probabilities: [] };
    for (const temperature of temperatures) {
      // The logits are in shared memory: they are neither copied nor given up.
      const p = await softmaxAsync(logits, { shape, temperature, signal: gone.signal });
      answer.classes ??= await largestOf(p, shape);
      answer.probabilities.push(pick(p, shape, answer.classes));
    }
    return answer;
  });

  app.post('/sync/score', { schema }, async (request) => {
    const { logits, shape, temperatures } = readScore(request);
    const answer = { classes: undefined, probabilities: [] };
    const p = new Float32Array(logits.length);
    for (const temperature of temperatures) {
      softmax(logits, { shape, temperature, out: p });
      answer.classes ??= largestOfRows(p, shape, 0, shape[0]);
      answer.probabilities.push(pick(p, shape, answer.classes));
    }
    return answer;
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
      rows: { type: 'integer' },
      classes: { type: 'integer' },
      temperatures: { type: 'string', default: '1' },
    },
  },
};

/** Straight into memory of its own: a body as a Buffer would be copied once more, and may begin between two floats. */
async function readLogits(stream) {
  const length = Number(stream.headers['content-length']);
  if (!(length <= mostBytes)) throw refusal(413, 'ERR_SHAPE', `content-length must be at most ${mostBytes}`);
  if (length % 4 !== 0) throw refusal(400, 'ERR_SHAPE', `${length} bytes are no float32 numbers`);
  const memory = new SharedArrayBuffer(length);
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
  const temperatures = query.temperatures.split(',', mostTemperatures + 1).map(Number);
  if (temperatures.length > mostTemperatures) {
    throw refusal(400, 'ERR_OPTION', `more than ${mostTemperatures} temperatures`);
  }
  return { logits: body, shape: [query.rows, query.classes], temperatures };
}

function refusal(statusCode, code, message) {
  return Object.assign(new TypeError(message), { statusCode, code });
}

/** The class of the largest element of each row, in slices of some 50 µs: others have their turn between them. */
async function largestOf(elements, [rows, classes]) {
  const slice = Math.ceil(65536 / classes);
  const largest = [];
  for (let row = 0; row < rows; row += slice) {
    largest.push(...largestOfRows(elements, [rows, classes], row, Math.min(rows, row + slice)));
    await nextTurn();
  }
  return largest;
}

function largestOfRows(elements, [, classes], begin, end) {
  const largest = [];
  for (let row = begin; row < end; row++) {
    const first = row * classes;
    let index = first;
    let value = elements[first];
    for (let i = first + 1; i < first + classes; i++) {
      if (elements[i] > value) {
        value = elements[i];
        index = i;
      }
    }
    largest.push(index - first);
  }
  return largest;
}

function pick(elements, [, classes], largest) {
  return largest.map((index, row) => elements[row * classes + index]);
}

if (process.argv[1] === here) {
  console.log(await createServer().listen({ port: Number(process.env.PORT ?? 3000) }));
}
