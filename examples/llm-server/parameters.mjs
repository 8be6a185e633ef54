// What a request asks for. Everything is checked before anything is computed; null is the same as nothing, as in OpenAI.

import { getRandomValues } from 'node:crypto';

/** What is wrong with a request, in OpenAI's words. */
export class RequestError extends Error {
  constructor(param, message, { statusCode = 400, code = null } = {}) {
    super(message);
    Object.assign(this, { param, statusCode, code });
  }
}

const known = new Set([
  ...[
    'model',
    'prompt',
    'max_tokens',
    'temperature',
    'top_p',
    'top_k',
    'min_p',
    'logit_bias',
    'seed',
    'n',
    'user',
  ],
  ...[
    'frequency_penalty',
    'presence_penalty',
    'logprobs',
    'top_logprobs',
    'stop',
    'stream',
    'stream_options',
  ],
]);
const mostChoices = 128;
const mostTop = 20;

/** `top`: how many likely tokens to report beside each, undefined for no log-probabilities at all. */
export function readRequest(body, model) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestError(null, 'the body must be a JSON object');
  }
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  for (const name of Object.keys(given)) {
    if (!known.has(name)) throw new RequestError(name, `unknown parameter: ${name}`);
  }
  if (given.model !== undefined && given.model !== model.name) {
    const message = `the model ${JSON.stringify(given.model)} does not exist; there is "${model.name}"`;
    throw new RequestError('model', message, { statusCode: 404, code: 'model_not_found' });
  }
  const classes = model.vocabulary.length;
  const prompts = readPrompts(given.prompt ?? '', model);
  const n = readNumber(given, 'n', { byDefault: 1, least: 1, most: mostChoices, isInteger: true });
  if (prompts.length * n > mostChoices) {
    throw new RequestError('n', `${prompts.length} prompts times n ${n} is more than ${mostChoices} choices`);
  }
  const maxTokens = readNumber(given, 'max_tokens', {
    byDefault: 16,
    least: 1,
    most: model.mostTokens,
    isInteger: true,
  });
  for (const { tokens } of prompts) {
    if (tokens.length + maxTokens <= model.mostTokens) continue;
    const message = `${tokens.length} tokens of the prompt and max_tokens ${maxTokens} are more than ${model.mostTokens}`;
    throw new RequestError('max_tokens', message, { code: 'context_length_exceeded' });
  }
  return {
    prompts,
    n,
    maxTokens,
    settings: {
      temperature: readNumber(given, 'temperature', { byDefault: 1, least: 0, most: 2 }),
      topP: readNumber(given, 'top_p', { byDefault: 1, above: 0, most: 1 }),
      topK: Math.max(0, Math.min(classes, readTopK(given))),
      minP: readNumber(given, 'min_p', { byDefault: 0, least: 0, most: 1 }),
      frequency: readNumber(given, 'frequency_penalty', { byDefault: 0, least: -2, most: 2 }),
      presence: readNumber(given, 'presence_penalty', { byDefault: 0, least: -2, most: 2 }),
      bias: readBias(given.logit_bias ?? {}, classes),
    },
    seed: given.seed === undefined ? freshSeed() : readSeed(given),
    top: readTop(given, classes),
    stops: readStops(given.stop ?? []),
    isStream: readBoolean(given, 'stream'),
    isUsageStreamed: readStreamOptions(given),
  };
}

function readNumber(given, name, { byDefault, least, above, most, isInteger = false }) {
  const value = given[name] ?? byDefault;
  const isRight = isInteger ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (isRight && !(value < least) && !(value <= above) && !(value > most)) return value;
  const kind = isInteger ? 'an integer' : 'a number';
  const range = above === undefined ? `from ${least} to ${most}` : `above ${above}, at most ${most}`;
  throw new RequestError(name, `${name} must be ${kind} ${range}, not ${JSON.stringify(value)}`);
}

/** −1 and 0 are all tokens, as in vLLM. */
const readTopK = (given) =>
  readNumber(given, 'top_k', { byDefault: 0, least: -1, most: 2 ** 31, isInteger: true });

const readSeed = (given) =>
  readNumber(given, 'seed', {
    least: Number.MIN_SAFE_INTEGER,
    most: Number.MAX_SAFE_INTEGER,
    isInteger: true,
  });

const freshSeed = () => getRandomValues(new Uint32Array(1))[0];

function readBoolean(given, name) {
  const value = given[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw new RequestError(name, `${name} must be true or false, not ${JSON.stringify(value)}`);
}

/** A text, tokens, or an array of either. */
function readPrompts(prompt, model) {
  const isOne = typeof prompt === 'string' || (Array.isArray(prompt) && typeof prompt[0] === 'number');
  const prompts = isOne ? [prompt] : prompt;
  if (Array.isArray(prompts) && prompts.length > 0) return prompts.map((one) => readPrompt(one, model));
  throw new RequestError('prompt', 'prompt must be a string, an array of tokens, or an array of such');
}

function readPrompt(prompt, model) {
  try {
    if (typeof prompt === 'string') return { text: prompt, tokens: model.encode(prompt) };
  } catch (error) {
    if (error instanceof RangeError) throw new RequestError('prompt', `prompt: ${error.message}`);
    throw error;
  }
  const classes = model.vocabulary.length;
  const isToken = (token) => Number.isInteger(token) && token >= 0 && token < classes;
  if (Array.isArray(prompt) && prompt.every(isToken)) return { text: model.decode(prompt), tokens: prompt };
  throw new RequestError('prompt', `prompt must be text, or tokens: integers from 0 to ${classes - 1}`);
}

function readBias(bias, classes) {
  if (typeof bias !== 'object' || Array.isArray(bias)) {
    throw new RequestError('logit_bias', 'logit_bias must be an object of tokens and numbers');
  }
  return Object.entries(bias).map(([key, value]) => {
    const token = /^\d+$/.test(key) ? Number(key) : -1;
    if (token < 0 || token >= classes) {
      throw new RequestError(
        'logit_bias',
        `logit_bias: ${JSON.stringify(key)} is no token from 0 to ${classes - 1}`,
      );
    }
    if (!(Number.isFinite(value) && Math.abs(value) <= 100)) {
      const message = `logit_bias["${key}"] must be a number from -100 to 100, not ${JSON.stringify(value)}`;
      throw new RequestError('logit_bias', message);
    }
    return { token, value };
  });
}

/** logprobs: 5 as in completions, or logprobs: true with top_logprobs: 5 as in chats. */
function readTop(given, classes) {
  const name = given.top_logprobs === undefined ? 'logprobs' : 'top_logprobs';
  if (name === 'top_logprobs' && (given.logprobs ?? false) === false) {
    throw new RequestError('top_logprobs', 'top_logprobs needs logprobs: true');
  }
  const value = given[name];
  if (value === undefined || value === false) return undefined;
  if (value === true && name === 'logprobs') return 0;
  return Math.min(classes, readNumber(given, name, { least: 0, most: mostTop, isInteger: true }));
}

function readStops(stop) {
  const stops = typeof stop === 'string' ? [stop] : stop;
  const isRight = Array.isArray(stops) && stops.every((one) => typeof one === 'string' && one !== '');
  if (isRight && stops.length <= 4) return stops;
  throw new RequestError('stop', 'stop must be a string that is not empty, or an array of up to 4 such');
}

function readStreamOptions(given) {
  const options = given.stream_options;
  if (options === undefined) return false;
  if (given.stream === true && typeof options === 'object') return readBoolean(options, 'include_usage');
  throw new RequestError('stream_options', 'stream_options must be an object, and needs stream: true');
}
