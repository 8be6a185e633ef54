// Where the result goes: a file, which is a hidden one beside it until it is complete, so that nobody ever sees a part of it;
// or standard output, once all is computed.

import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { Failure, failureOf, reasonOf, shownName, withFile } from '../failures.js';
import { isStream } from './input.js';
import { type OpenFile, openUnnamed } from './pieces.js';

/** Complete, it is committed; else it is abandoned. */
export interface Output extends OpenFile {
  commit(): void | Promise<void>;
  abandon(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const unwritable = "it can't be written";

/** Of the machine, or the container, that numbers this process: processes of others are not known here. */
function machine(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux.
  }
  return createHash('sha256').update(`${hostname()} ${space}`).digest('hex').slice(0, 8);
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** What killed runs for the same output left: SIGKILL gives no time to remove it. */
function removeStale(directory: string, prefix: string): void {
  const pattern = /^(\d+)-[0-9a-f]{8}\.tmp$/;
  try {
    for (const name of readdirSync(directory)) {
      const [, processId] = (name.startsWith(prefix) && pattern.exec(name.slice(prefix.length))) || [];
      if (processId !== undefined && !isAlive(Number(processId))) unlinkSync(join(directory, name));
    }
  } catch {
    // A directory that may not be listed, or another's file: it stays, and the result can be written all the same.
  }
}

function statusOf(file: string): Stats | undefined {
  return withFile(file, unwritable, () => statSync(file, { throwIfNoEntry: false }));
}

/** Before anything is computed: may this be written? */
function requireWritable(file: string, force: boolean): void {
  const fail = (reason: string) => new Failure(`${shownName(file)}: ${reason}`);
  if (isStream(file)) throw fail('it is not a regular file');
  if (/[/\\]$/.test(file) || statusOf(file)?.isDirectory()) throw fail('it is a directory, not a file');
  const status = statusOf(file);
  if (status === undefined && withFile(file, unwritable, () => lstatSync(file, { throwIfNoEntry: false })))
    throw fail('it is a symbolic link to what does not exist');
  if (status === undefined) return;
  if (!status.isFile()) throw fail('it is not a regular file');
  if (!force) throw fail('it exists: --force replaces it');
}

/** Linked under a name that is taken, a file is refused: nothing is lost that came into being meanwhile. */
function moveToNewName(from: string, to: string): void {
  try {
    linkSync(from, to);
    unlinkSync(from);
  } catch {
    // It exists, or this file system has no links.
    requireWritable(to, false);
    renameSync(from, to);
  }
}

/** All of it to standard output, which may be a pipe that is not ready to take more. */
async function writeToStandardOutput(bytes: Uint8Array): Promise<void> {
  for (let left = bytes; left.length > 0; )
    try {
      left = left.subarray(writeSync(1, left));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await pause(1);
    }
}

export class StandardOutput implements Output {
  readonly file: string;
  readonly descriptor: number;

  constructor() {
    if (isatty(1))
      throw new Failure('standard output is a terminal: redirect it, or name a file with --output');
    ({ file: this.file, descriptor: this.descriptor } = openUnnamed());
  }

  async commit(): Promise<void> {
    const portion = new Uint8Array(2 ** 20);
    for (let at = 0; ; ) {
      const count = readSync(this.descriptor, portion, 0, portion.length, at);
      if (count === 0) return;
      await writeToStandardOutput(portion.subarray(0, count)).catch((error) => {
        throw failureOf('standard output', unwritable, error);
      });
      at += count;
    }
  }

  abandon(): void {
    closeSync(this.descriptor);
  }
}

export class OutputFile implements Output {
  readonly file: string;
  readonly descriptor: number;
  readonly #temporary: string;
  readonly #force: boolean;
  #isOpen = true;
  #exists = true;
  readonly #remove = () => this.#discard();
  readonly #removeAndDie = (signal: NodeJS.Signals) => {
    this.abandon();
    // With its listener gone, the signal ends the process as it would have without one.
    process.kill(process.pid, signal);
  };

  constructor(file: string, force: boolean) {
    requireWritable(file, force);
    this.#force = force;
    // Through a link, its target is replaced and the link stays.
    const status = statusOf(file);
    this.file = status === undefined ? file : realpathSync(file);
    // A part of the name: the whole of a long one, with more, would be too long.
    const prefix = `.${basename(this.file).slice(0, 40)}.${machine()}-`;
    const name = `${prefix}${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
    this.#temporary = join(dirname(this.file), name);
    removeStale(dirname(this.file), prefix);
    this.descriptor = withFile(file, unwritable, () => openSync(this.#temporary, 'wx+'));
    process.on('exit', this.#remove);
    for (const signal of signals) process.on(signal, this.#removeAndDie);
    if (status !== undefined)
      withFile(file, unwritable, () => chmodSync(this.#temporary, status.mode & 0o777));
  }

  /** Complete, and on the disk, it gets its name. */
  commit(): void {
    withFile(this.file, unwritable, () => {
      fsyncSync(this.descriptor);
      this.#close();
      if (this.#force) renameSync(this.#temporary, this.file);
      else moveToNewName(this.#temporary, this.file);
      this.#exists = false;
    });
    this.abandon();
  }

  /** What is written so far is gone; nothing is left of a complete one to remove. */
  abandon(): void {
    this.#discard();
    process.off('exit', this.#remove);
    for (const signal of signals) process.off(signal, this.#removeAndDie);
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.descriptor);
    this.#isOpen = false;
  }

  #discard(): void {
    if (!this.#exists) return;
    this.#exists = false;
    try {
      this.#close();
      unlinkSync(this.#temporary);
    } catch (error) {
      process.stderr.write(`${shownName(this.#temporary)}: it can't be removed: ${reasonOf(error)}\n`);
    }
  }
}
