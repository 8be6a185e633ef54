// A scoring: which operation, of which file, into which. Its jobs are ranges of rows. Each writes its rows of the result
// where they belong in one file, which has another name until the last step has found all of them there.
//
// A job may be done twice, also at the same time, by a worker that others believe dead: both write the same bytes to the
// same place. That is what "exactly once" rests on, and what the library's promise of same bits is good for.

import { createHash } from 'node:crypto';
import { constants, existsSync, realpathSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { borrow, readFully, withFile, writeFully } from './files.mjs';
import { describeInput, describeTargets, elementsOf, fingerprint, readRows, requireSame } from './input.mjs';
import { Mistake } from './mistake.mjs';
import { dtypes, headerOf } from './npy.mjs';
import { operations } from './operations.mjs';

export const { version } = createRequire(import.meta.url)('softmax-native/package.json');

/** Bytes of logits: README says what follows from it. */
const recommended = 32 * 2 ** 20;
/** All are added in one transaction. */
const mostJobs = 100_000;

/** The absolute path, without links: the same from wherever a scoring is asked for. */
function placeOf(out) {
  const path = resolve(out);
  if (!existsSync(dirname(path))) throw new Mistake(`${dirname(path)}: there is no such directory`);
  return join(realpathSync(dirname(path)), basename(path));
}

function realInput(path) {
  if (!existsSync(path)) throw new Mistake(`${path}: there is no such file`);
  return realpathSync(path);
}

/** All that follows from a command line. Two that ask for the same have the same `id`, on any machine. */
export async function describe({ input, operation = 'softmax', out, targets, k, column, rowsPerJob }) {
  const { needsTargets, needsK, output } = operations[operation] ?? {};
  if (output === undefined) throw new Mistake(`--operation must be one of ${Object.keys(operations)}`);
  if ((targets !== undefined) !== Boolean(needsTargets)) {
    throw new Mistake(`--targets and --operation token-log-probs go together`);
  }
  const { groups, ...source } = await describeInput(realInput(input), column);
  const places = needsK ? (k ?? Math.min(5, source.columns)) : undefined;
  if (k !== undefined && !needsK) throw new Mistake('-k is for --operation topk');
  if (places > source.columns) throw new Mistake(`-k is ${places}, but there are ${source.columns} classes`);
  const rowSize = source.columns * dtypes[source.descr].size;
  const step = rowsPerJob ?? Math.max(1, Math.round(recommended / Math.max(1, rowSize)));
  const ranges = rangesOf(source.rows, step, groups);
  if (ranges.length > mostJobs) {
    throw new Mistake(`${ranges.length} jobs are more than ${mostJobs}: give a larger --rows-per-job`);
  }
  const scoring = {
    version,
    operation,
    k: places,
    source,
    targets: needsTargets && (await describeTargets(realInput(targets), source.rows)),
    out: placeOf(out),
    output: output(source, places),
    rowsPerJob: step,
  };
  const id = createHash('sha256').update(JSON.stringify(scoring)).digest('hex').slice(0, 16);
  return { scoring: { id, ...scoring }, ranges };
}

/** Jobs of Parquet begin where a row group does: to read a part of one, all of it has to be decoded. */
function rangesOf(rows, step, groups) {
  const ranges = [];
  for (let begin = 0; begin < rows; ) {
    const end = Math.min(rows, begin + step);
    const next = groups?.find((first) => first >= end) ?? rows;
    ranges.push({ begin, end: groups === undefined ? end : next });
    begin = ranges.at(-1).end;
  }
  return ranges;
}

export const partialOf = ({ out, id }) => `${out}.${id}.partial`;
const headOf = ({ output: { descr, shape } }) => headerOf(descr, shape);
const sizeOf = (scoring) => headOf(scoring).length + scoring.output.rowSize * scoring.source.rows;

/** The file for jobs to write into, with its whole length. Nothing in it is lost if it is there. */
export function prepare(scoring) {
  return withFile(partialOf(scoring), constants.O_RDWR | constants.O_CREAT, async (handle) => {
    await handle.truncate(sizeOf(scoring));
    await writeFully(handle, headOf(scoring), 0);
  });
}

/** A job. What it gives is for the last step: the checksum of its bytes, and what took how many seconds. */
export async function scoreRows(scoring, { begin, end }) {
  const { source, targets, operation, k, output } = scoring;
  const seconds = {};
  let since = performance.now();
  const lap = (part) => {
    const now = performance.now();
    seconds[part] = (seconds[part] ?? 0) + (now - since) / 1000;
    since = now;
  };
  const rows = end - begin;
  const bytes = borrow(rows * source.columns * dtypes[source.descr].size);
  await readRows(source, begin, end, bytes);
  const given = targets && new Uint8Array(rows * dtypes[targets.descr].size);
  if (given) await readRows(targets, begin, end, given);
  lap('read');
  const options = { shape: [rows, source.columns], dtype: dtypes[source.descr].name };
  const logits = elementsOf(source, bytes);
  const result = operations[operation].compute(logits, options, {
    k,
    targets: given && elementsOf(targets, given),
  });
  lap('compute');
  const crc = crc32(result);
  lap('checksum');
  const position = headOf(scoring).length + begin * output.rowSize;
  await withFile(partialOf(scoring), 'r+', (handle) => writeFully(handle, result, position));
  lap('write');
  return { begin, end, crc, seconds };
}

/** Whether the rows of a part are in the file as its job computed them. */
async function isThere(handle, scoring, { begin, end, crc }) {
  const { rowSize } = scoring.output;
  const bytes = borrow((end - begin) * rowSize);
  await readFully(handle, bytes, headOf(scoring).length + begin * rowSize);
  return crc32(bytes) === crc;
}

/** The rows of the parts, which come in any order, are all rows. */
function requireAll(parts, rows) {
  let next = 0;
  for (const { begin, end } of parts) {
    if (begin !== next) throw new Error(`rows from ${Math.min(begin, next)} on are missing, or there twice`);
    next = end;
  }
  if (next !== rows) throw new Error(`rows from ${next} on are missing`);
}

/**
 * The last step: the file is complete, with the bytes that jobs computed, and gets its name. What a machine took along
 * when it went down is computed again. Done twice, it finds that it is done.
 */
export async function finish(scoring, parts) {
  const sorted = [...parts].sort((one, other) => one.begin - other.begin);
  requireAll(sorted, scoring.source.rows);
  const partial = partialOf(scoring);
  const isRenamed = !existsSync(partial);
  let repaired = 0;
  const written = await withFile(
    isRenamed ? scoring.out : partial,
    isRenamed ? 'r' : 'r+',
    async (handle) => {
      const { size } = await handle.stat();
      if (size !== sizeOf(scoring)) throw new Error(`the output has ${size} bytes, not ${sizeOf(scoring)}`);
      const head = Buffer.alloc(headOf(scoring).length);
      await readFully(handle, head, 0);
      if (!head.equals(headOf(scoring))) throw new Error('the header of the output is not what was written');
      for (const part of sorted) {
        if (await isThere(handle, scoring, part)) continue;
        if (isRenamed)
          throw new Mistake(`${scoring.out}: rows ${part.begin} to ${part.end} are not as computed`);
        const { crc } = await scoreRows(scoring, part);
        if (crc !== part.crc || !(await isThere(handle, scoring, part))) {
          throw new Error(`rows ${part.begin} to ${part.end} were other bytes when they were first computed`);
        }
        repaired++;
      }
      if (!isRenamed) await handle.sync();
      return fingerprint(handle);
    },
  );
  if (!isRenamed) await rename(partial, scoring.out);
  await withFile(dirname(scoring.out), 'r', (directory) => directory.sync());
  return { repaired, written };
}

/** Whether the output is there, as the last step left it. */
export async function isDone({ out }, written) {
  if (!existsSync(out)) return false;
  return withFile(out, 'r', (handle) => requireSame(handle, out, written)).then(
    () => true,
    () => false,
  );
}
