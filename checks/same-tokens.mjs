// The same token everywhere: random rows and options of sample on every instruction set and in JavaScript, on 1 to 8
// threads, in batches and alone.
//   node checks/same-tokens.mjs [--rows N]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { randomBits, samplings, tokenRow } from '../test/helpers/corpus.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, batch: { type: 'string' } },
});
const rows = Number(values.rows);

/** Batches of rows of one length; each row has a seed of its own. */
function* batches(most) {
  const bits = randomBits(7);
  for (let done = 0; done < rows; ) {
    const length = bits() % 400 === 0 ? 1 + (bits() % 40_000) : 1 + (bits() % 300);
    const count = Math.min(rows - done, length > 1000 ? 2 : 64);
    const logits = bits() % 8 === 0 ? new Float64Array(count * length) : new Float32Array(count * length);
    for (let row = 0; row < count; row++) logits.set(tokenRow(length, bits), row * length);
    const options = samplings[bits() % samplings.length];
    const seeds = Uint32Array.from({ length: count }, bits);
    const step = bits() % 5;
    for (let begin = 0; begin < count; begin += most) {
      const end = Math.min(count, begin + most);
      yield {
        logits: logits.subarray(begin * length, end * length),
        options: { ...options, shape: [end - begin, length], seed: seeds.slice(begin, end), step },
      };
    }
    done += count;
  }
}

async function hash() {
  const { sample, backend } = await import(pathToFileURL(`${root}/dist/index.mjs`).href);
  const all = createHash('sha256');
  for (const { logits, options } of batches(Number(values.batch))) {
    const { tokens, kept, logProbs } = sample(logits, options);
    // Row by row: batches of any size give the same bytes.
    for (let row = 0; row < tokens.length; row++)
      for (const { buffer, byteOffset, BYTES_PER_ELEMENT: size } of [tokens, kept, logProbs])
        all.update(new Uint8Array(buffer, byteOffset + size * row, size));
  }
  console.log(JSON.stringify({ served: backend.isa ?? 'js', hash: all.digest('hex') }));
}

function compare() {
  const { supported } = createRequire(import.meta.url)(`${root}/build/Release/softmax_native.node`);
  const kinds = [
    ...supported.map((isa) => ({
      name: isa,
      SOFTMAX_BACKEND: 'native',
      SOFTMAX_ISA: isa,
      SOFTMAX_THREADS: '1',
    })),
    ...[2, 3, 8].map((n) => ({ name: `${n} threads`, SOFTMAX_BACKEND: 'native', SOFTMAX_THREADS: `${n}` })),
    { name: 'alone', SOFTMAX_BACKEND: 'native', batch: '1' },
    { name: 'js', SOFTMAX_BACKEND: 'js' },
  ];
  let first;
  let differences = 0;
  for (const { name, batch = '64', ...env } of kinds) {
    const words = [fileURLToPath(import.meta.url), '--rows', `${rows}`, '--batch', batch];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    const found = JSON.parse(stdout);
    first ??= found.hash;
    if (found.hash === first) continue;
    differences++;
    console.error(`same-tokens: ${name} (${found.served}) gives other tokens`);
  }
  console.log(`same-tokens: ${rows} rows, ${kinds.length} ways, ${differences} differences`);
  process.exitCode = differences === 0 ? 0 : 1;
}

if (values.batch === undefined) compare();
else await hash();
