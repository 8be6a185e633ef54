// Every operation, dtype and format: the bytes that one process writes. And what the last step finds.

import assert from 'node:assert/strict';
import { existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { follow } from '../follow.mjs';
import { headerOf } from '../npy.mjs';
import { describe, finish, partialOf, prepare, scoreRows } from '../scoring.mjs';
import { Workers } from '../workers.mjs';
import { assertOutput, expectedOf, fileOf, logitsOf, npyOf, run, withRedis, write } from './tools.mjs';

/** Row groups of 100 rows: jobs of 40 rows have one each, jobs of 150 have two. */
function parquetOf(data, type) {
  const list = [
    { name: 'root', num_children: 2 },
    { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
    { name: 'logits', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', type },
  ];
  const columnData = [
    { name: 'id', data: data.map((_, row) => row) },
    { name: 'logits', data },
  ];
  return Buffer.from(parquetWriteBuffer({ columnData, schema: list, rowGroupSize: 100 }));
}

const listsOf = (logits, [rows, classes]) =>
  Array.from({ length: rows }, (_, row) => Array.from(logits.subarray(row * classes, (row + 1) * classes)));

async function checkParquetRows() {
  const lists = listsOf(logitsOf(600), [150, 4]);
  for (const [row, message] of [
    [[1, 2, 3], /row 120 has 3 values, not 4/],
    [[1, null, 3, 4], /row 120 has a value that is no number/],
    [null, /row 120 has no values, not 4/],
  ]) {
    const input = write(parquetOf(lists.with(120, row), 'FLOAT'), 'parquet');
    await assert.rejects(partsOf({ input, out: fileOf() }), message);
  }
}

const targetsOf = (rows) => Int32Array.from({ length: rows }, (_, row) => (row * 7) % 37);

function* cases() {
  const shape = [501, 37];
  const targets = targetsOf(shape[0]);
  for (const Elements of [Float32Array, Float64Array, Uint16Array]) {
    const logits = logitsOf(shape[0] * shape[1], Elements);
    const input = write(npyOf(logits, shape));
    for (const operation of ['softmax', 'log-softmax', 'token-log-probs', 'topk']) {
      const k = operation === 'topk' ? 6 : undefined;
      const given = operation === 'token-log-probs' ? targets : undefined;
      const options = { operation, k, targets: given && write(npyOf(given, [shape[0]])) };
      const expected = expectedOf(logits, shape, { operation, targets: given, k });
      yield {
        name: `${operation} of ${Elements.name}`,
        options: { input, ...options, rowsPerJob: 40 },
        expected,
      };
    }
    if (Elements === Uint16Array) continue;
    const type = Elements === Float32Array ? 'FLOAT' : 'DOUBLE';
    const parquet = write(parquetOf(listsOf(logits, shape), type), 'parquet');
    for (const rowsPerJob of [40, 150]) {
      const expected = expectedOf(logits, shape);
      yield { name: `Parquet of ${type}`, options: { input: parquet, rowsPerJob }, expected };
    }
  }
  for (const [Elements, convert] of [
    [Uint8Array, Number],
    [BigInt64Array, BigInt],
  ]) {
    const logits = logitsOf(shape[0] * shape[1]);
    const given = Elements.from(Array.from(targets, convert));
    const paths = { input: write(npyOf(logits, shape)), targets: write(npyOf(given, [shape[0]])) };
    const operation = 'token-log-probs';
    const expected = expectedOf(logits, shape, { operation, targets });
    yield {
      name: `targets of ${Elements.name}`,
      options: { ...paths, operation, rowsPerJob: 500 },
      expected,
    };
  }
  const none = new Float32Array(0);
  yield { name: 'no rows', options: { input: write(npyOf(none, [0, 5])) }, expected: npyOf(none, [0, 5]) };
  const one = logitsOf(5);
  yield { name: 'one row', options: { input: write(npyOf(one, [1, 5])) }, expected: expectedOf(one, [1, 5]) };
}

async function checkOperations() {
  // As np.save writes it, to the byte.
  const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 1000), }";
  assert.equal(
    headerOf("'<f4'", [65536, 1000]).toString('latin1'),
    `\x93NUMPY\x01\0v\0${text.padEnd(117)}\n`,
  );
  let count = 0;
  await withRedis(async ({ redis, scorings }) => {
    const workers = new Workers(2, { url: redis.url, lock: 10 });
    const all = [...cases()].map(async ({ name, options, expected }) => {
      const out = fileOf();
      const described = await describe({ ...options, out });
      const { dead } = await follow(scorings, described);
      assert.deepEqual(dead, [], name);
      assertOutput(out, expected, name);
      assert.ok(!existsSync(partialOf(described.scoring)));
      count++;
    });
    await Promise.all(all);
    await workers.stop();
  });
  return count;
}

/** All jobs in this process. */
async function partsOf(options) {
  const { scoring, ranges } = await describe(options);
  await prepare(scoring);
  const parts = [];
  for (const range of ranges) parts.push(await scoreRows(scoring, range));
  return { scoring, parts };
}

function damage(path, position) {
  writeSync(openSync(path, 'r+'), Buffer.from([255, 255]), 0, 2, position);
}

async function checkLastStep() {
  const shape = [100, 11];
  const logits = logitsOf(1100);
  const options = { input: write(npyOf(logits, shape)), out: fileOf(), rowsPerJob: 9 };
  const expected = expectedOf(logits, shape);
  const { scoring, parts } = await partsOf(options);
  await assert.rejects(finish(scoring, parts.slice(0, 3)), /rows from 27 on are missing/);
  await assert.rejects(finish(scoring, parts.toSpliced(3, 1)), /rows from 27 on are missing/);
  await assert.rejects(finish(scoring, [...parts, parts[3]]), /there twice/);
  const wrong = parts.with(2, { ...parts[2], crc: 1 });
  await assert.rejects(finish(scoring, wrong), /rows 18 to 27 were other bytes/);
  damage(partialOf(scoring), 10);
  await assert.rejects(finish(scoring, parts), /the header/);
  await prepare(scoring);
  assert.ok(!existsSync(options.out), 'nothing is presented as done');
  damage(partialOf(scoring), 1000);
  damage(partialOf(scoring), 4000);
  assert.equal((await finish(scoring, [...parts].reverse())).repaired, 2);
  assertOutput(options.out, expected, 'the last step');
  // Its worker was lost when it was done: it is done again.
  assert.equal((await finish(scoring, parts)).repaired, 0);
  damage(options.out, 1000);
  await assert.rejects(finish(scoring, parts), /are not as computed/);
}

async function checkCommandLine() {
  const shape = [300, 20];
  const logits = logitsOf(6000);
  const input = write(npyOf(logits, shape));
  const out = fileOf();
  const score = (...more) => run(['score', input, '--out', out, ...more]);
  const { code, output } = await score('--rows-per-job', '50', '--workers', '1');
  assert.equal(code, 0, output);
  assert.match(output, /softmax of 300 rows, 6 jobs/);
  assertOutput(out, expectedOf(logits, shape), 'score');
  const { code: refused, output: why } = await score();
  assert.deepEqual([refused, /it exists: --force replaces it/.test(why)], [2, true], why);
  for (const [options, message] of [
    [{ operation: 'sofmax' }, /must be one of softmax,/],
    [{ targets: input }, /go together/],
    [{ k: 3 }, /is for --operation topk/],
    [{ operation: 'topk', k: 21 }, /-k is 21, but there are 20 classes/],
    [{ operation: 'token-log-probs', targets: input }, /must have 300 integers/],
    [{ column: 'x' }, /for Parquet/],
    [{ input: write(npyOf(targetsOf(300), [300])) }, /must have two dimensions of floats/],
    [{ input: write('') }, /it is not a .npy file/],
    [{ input: `${input}.none` }, /there is no such file/],
  ]) {
    await assert.rejects(describe({ input, out, ...options }), message);
  }
  writeFileSync(input, readFileSync(input).subarray(0, 500));
  await assert.rejects(describe({ input, out }), /it has 500 bytes, but its header says/);
}

export async function checkResults() {
  await checkLastStep();
  await checkParquetRows();
  const count = await checkOperations();
  await checkCommandLine();
  console.log(
    `batch-scoring: ${count} scorings have the bytes of one process; the last step finds what is wrong`,
  );
}
