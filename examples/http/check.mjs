// That the server does what it says, on both backends. No times are checked: load.mjs prints some.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { startServer } from './start-server.mjs';

const type = 'application/octet-stream';
const logitsOf = (length) => Float32Array.from({ length }, (_, i) => 8 * Math.sin(i * i));

async function post(address, path, body, headers = { 'content-type': type }) {
  const response = await fetch(address + path, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

/** The answers to some batches, small ones and ones that go to the threads. Both variants give the same bytes. */
async function answersOf(address) {
  const answers = [];
  for (const [rows, classes, temperature] of [
    [1, 1, 1],
    [2, 3, 0.5],
    [0, 10, 1],
    [33, 1000, 2],
    [64, 32000, 1],
  ]) {
    const query = `score?rows=${rows}&classes=${classes}&temperature=${temperature}`;
    const body = logitsOf(rows * classes);
    const [sync, async] = await Promise.all([
      post(address, `/sync/${query}`, body),
      post(address, `/async/${query}`, body),
    ]);
    assert.equal(sync.status, 200, sync.text);
    assert.deepEqual(async, sync, query);
    const { classes: best, probabilities } = JSON.parse(sync.text);
    assert.deepEqual([best.length, probabilities.length], [rows, rows]);
    assert.ok(probabilities.every((p) => p > 0 && p <= 1));
    answers.push(sync.text);
  }
  return answers;
}

async function checkRefusals(address) {
  const json = { 'content-type': 'application/json' };
  for (const [query, body, code, headers] of [
    ['rows=2&classes=2', logitsOf(3), 'ERR_SHAPE'],
    ['rows=-1&classes=2', logitsOf(2), 'FST_ERR_VALIDATION'],
    ['rows=1&classes=1', 'abcde', 'ERR_SHAPE'],
    ['rows=1&classes=2&temperature=-1', logitsOf(2), 'ERR_TEMPERATURE'],
    ['rows=1&classes=2', '[1, 2]', 'ERR_DTYPE', json],
    ['rows=1&classes=2', undefined, 'ERR_DTYPE', {}],
    ['rows=1&classes=zero', logitsOf(2), 'FST_ERR_VALIDATION'],
    ['classes=2', logitsOf(2), 'FST_ERR_VALIDATION'],
  ]) {
    for (const variant of ['sync', 'async']) {
      const { status, text } = await post(address, `/${variant}/score?${query}`, body, headers);
      assert.deepEqual([status, JSON.parse(text).code], [400, code], `${variant} ${query}: ${text}`);
    }
  }
}

/** Clients that go away: in the middle of the body, and while their batch is computed. */
async function checkAborts(address) {
  const body = Buffer.from(logitsOf(64 * 32000).buffer);
  const options = { method: 'POST', headers: { 'content-type': type, 'content-length': body.length } };
  for (let i = 0; i < 24; i++) {
    const client = request(`${address}/${i % 3 ? 'async' : 'sync'}/score?rows=64&classes=32000`, options);
    client.on('error', () => {}); // that it was destroyed
    if (i % 2) client.write(body.subarray(0, body.length / 2));
    else client.end(body);
    setTimeout(() => client.destroy(), 2 * i);
    await new Promise((resolve) => client.once('close', resolve));
  }
}

let expected;
for (const backend of ['native', 'js']) {
  const server = await startServer({ SOFTMAX_BACKEND: backend });
  const answers = await answersOf(server.address);
  await checkRefusals(server.address);
  await checkAborts(server.address);
  assert.deepEqual(await answersOf(server.address), answers, 'after aborted requests');
  const health = await fetch(`${server.address}/health`);
  assert.deepEqual(await health.json(), { isUp: true });
  expected ??= answers;
  assert.deepEqual(answers, expected, 'the other backend answers the same');
  server.stop();
  console.log(`http: ${server.isa}: both variants answer alike, refuse alike, and survive aborted requests`);
}
