// Where rows of logits come from: a .npy file of two dimensions, or a column of lists in a Parquet file. Each read is of
// some rows only.

import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { readFully, withFile } from './files.mjs';
import { Mistake } from './mistake.mjs';
import { dtypes, isFloat, readHeader } from './npy.mjs';

/** What tells a file from a later one of its name. */
export async function fingerprint(handle) {
  const { size, mtimeMs } = await handle.stat();
  return { size, modified: Math.floor(mtimeMs) };
}

export async function requireSame(handle, path, { size, modified }) {
  const found = await fingerprint(handle);
  if (found.size !== size || found.modified !== modified) {
    throw new Mistake(`${path}: it has changed since the scoring began: score it anew`);
  }
}

/** Errors within a file name it. */
async function ofFile(path, use) {
  try {
    return await withFile(path, 'r', use);
  } catch (error) {
    if (error instanceof Mistake) throw new Mistake(`${path}: ${error.message}`);
    throw error;
  }
}

/**
 * All that jobs need to know of a file: its format, `descr`, `rows`, `columns` and fingerprint. `groups`: of Parquet, the
 * rows before which jobs may begin.
 */
export function describeInput(path, column) {
  return ofFile(path, async (handle) => {
    const file = { path, ...(await fingerprint(handle)) };
    if (/\.parquet$/i.test(path)) return { ...file, ...(await describeParquet(handle, file.size, column)) };
    if (column !== undefined) throw new Mistake('--column is for Parquet');
    const { dtype, shape, offset } = await readHeader(handle);
    if (shape.length !== 2 || !isFloat(dtype)) {
      throw new Mistake(`it must have two dimensions of floats, not ${dtype.name} of [${shape}]`);
    }
    const [rows, columns] = shape;
    return { ...file, format: 'npy', descr: descrOf(dtype), rows, columns, offset };
  });
}

const descrOf = (dtype) => Object.keys(dtypes).find((descr) => dtypes[descr] === dtype);

/** Class numbers, one a row. */
export function describeTargets(path, rows) {
  return ofFile(path, async (handle) => {
    const { dtype, shape, offset } = await readHeader(handle);
    if (isFloat(dtype) || shape.length !== 1 || shape[0] !== rows) {
      throw new Mistake(`it must have ${rows} integers, one a row, not ${dtype.name} of [${shape}]`);
    }
    return { path, ...(await fingerprint(handle)), descr: descrOf(dtype), columns: 1, offset };
  });
}

const bufferOf = (handle, byteLength) => ({
  byteLength,
  async slice(start, end = byteLength) {
    const bytes = new Uint8Array(end - start);
    await readFully(handle, bytes, start);
    return bytes.buffer;
  },
});

const descrOfParquet = { FLOAT: '<f4', DOUBLE: '<f8' };

async function describeParquet(handle, size, wanted) {
  const file = bufferOf(handle, size);
  const metadata = await parquetMetadataAsync(file);
  const leafOf = (node) => (node.children.length === 1 ? leafOf(node.children[0]) : node.element);
  const lists = parquetSchema(metadata).children.filter(
    (node) => node.children.length === 1 && descrOfParquet[leafOf(node).type] !== undefined,
  );
  const columns = lists.map(({ element }) => element.name);
  const column = wanted ?? columns[0];
  if (!columns.includes(column) || (wanted === undefined && columns.length > 1)) {
    throw new Mistake(
      `it has ${columns.length} columns of lists of floats (${columns}): name one with --column`,
    );
  }
  const groups = [];
  let rows = 0;
  for (const { num_rows } of metadata.row_groups) {
    groups.push(rows);
    rows += Number(num_rows);
  }
  const descr = descrOfParquet[leafOf(lists[columns.indexOf(column)]).type];
  const [first = []] = rows === 0 ? [] : await listsOf({ file, metadata, column }, 0, 1);
  return { format: 'parquet', column, descr, rows, columns: first.length, groups };
}

async function listsOf({ file, metadata, column }, rowStart, rowEnd) {
  let lists;
  await parquetRead({
    file,
    metadata,
    columns: [column],
    rowStart,
    rowEnd,
    onComplete: (rows) => {
      lists = rows.map(([list]) => list);
    },
  });
  return lists;
}

/** Rows [begin, end) into `bytes`, which have their length. */
export function readRows(source, begin, end, bytes) {
  return ofFile(source.path, async (handle) => {
    await requireSame(handle, source.path, source);
    const rowSize = source.columns * dtypes[source.descr].size;
    if (source.format !== 'parquet') return readFully(handle, bytes, source.offset + begin * rowSize);
    const file = bufferOf(handle, source.size);
    const lists = await listsOf({ file, metadata: await metadataOf(file, source), ...source }, begin, end);
    const elements = elementsOf(source, bytes);
    for (const [i, list] of lists.entries()) {
      if (list?.length !== source.columns) {
        throw new Mistake(`row ${begin + i} has ${list?.length ?? 'no'} values, not ${source.columns}`);
      }
      // A null would become 0.
      if (Array.isArray(list) && !list.every((value) => typeof value === 'number')) {
        throw new Mistake(`row ${begin + i} has a value that is no number`);
      }
      elements.set(list, i * source.columns);
    }
  });
}

let known;
/** Of the last file: it may take longer to read than a job's rows. */
async function metadataOf(file, { path, size, modified }) {
  const key = `${path} ${size} ${modified}`;
  if (known?.key !== key) known = { key, metadata: await parquetMetadataAsync(file) };
  return known.metadata;
}

/** Bytes as the numbers that they are. */
export function elementsOf({ descr }, { buffer, byteOffset, length }) {
  const { Elements, size } = dtypes[descr];
  return new Elements(buffer, byteOffset, length / size);
}
