// An array of a .npz archive: a zip file of .npy files, stored or deflated.

import * as zlib from 'node:zlib';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { Failure, ofFile, shownName } from '../failures.js';

export interface Member {
  /** For messages. */
  readonly place: string;
  readonly contents: AsyncIterable<Uint8Array>;
}

/** As np.load names it. */
const nameOf = ({ fileName }: Entry): string => fileName.replace(/\.npy$/, '');

const shownNames = (entries: readonly Entry[]): string =>
  entries.map((entry) => shownName(nameOf(entry))).join(', ');

async function entriesOf(archive: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of archive.eachEntry()) entries.push(entry);
  return entries;
}

/** Why an archive has no arrays. */
function otherContents(files: readonly Entry[]): Failure {
  if (files.some(({ fileName }) => /(?:^|\/)data\.pkl$/.test(fileName)))
    return new Failure('it is a PyTorch file: save its tensors with np.save first');
  return new Failure(files.length === 0 ? 'it has no arrays' : 'it is a .zip archive without .npy files');
}

/** The name of an array, and the option that names it. */
interface Choice {
  readonly array: string | undefined;
  readonly option: string;
}

function choose(files: readonly Entry[], { array: name, option }: Choice): Entry {
  const entries = files.filter(({ fileName }) => fileName.endsWith('.npy'));
  const [only, another] = entries;
  if (only === undefined) throw otherContents(files);
  if (name === undefined && another !== undefined)
    throw new Failure(`it has ${entries.length} arrays: choose one with ${option}: ${shownNames(entries)}`);
  if (name === undefined) return only;
  const found = entries.find((entry) => nameOf(entry) === name || entry.fileName === name);
  if (found === undefined)
    throw new Failure(`it has no array '${shownName(name)}', only: ${shownNames(entries)}`);
  return found;
}

/** Node 20 has crc32 from 20.15 on; before, the length alone is checked. */
async function* contentsOf(archive: ZipFile, entry: Entry, failed: (error: unknown) => Failure) {
  let sum = 0;
  try {
    for await (const chunk of await archive.openReadStreamPromise(entry)) {
      sum = zlib.crc32?.(chunk, sum) ?? entry.crc32;
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw failed(error);
  }
  if (sum !== entry.crc32) throw failed(new Failure('its checksum is wrong'));
}

/** The array of this name, or the only one. */
export async function openMember(descriptor: number, file: string, choice: Choice): Promise<Member> {
  const failure = (place: string) => (error: unknown) =>
    new Failure(`${shownName(place)}: it can't be read: ${shownName((error as Error).message)}`, {
      cause: error,
    });
  const open = async () => {
    const archive = await fromFdPromise(descriptor, { autoClose: false, lazyEntries: true });
    return { archive, entries: await entriesOf(archive) };
  };
  const { archive, entries } = await open().catch((error) => Promise.reject(failure(file)(error)));
  const entry = ofFile(file, () => choose(entries, choice));
  const place = `${file}[${nameOf(entry)}]`;
  return { place, contents: contentsOf(archive, entry, failure(place)) };
}
