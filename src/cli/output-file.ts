// The file that is written: a hidden one beside it until it is complete, so that nobody ever sees a part of it.

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, reasonOf, shownName, withFile } from './failures.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function statusOf(file: string): Stats | undefined {
  return withFile(file, "it can't be written", () => statSync(file, { throwIfNoEntry: false }));
}

/** Before anything is computed: may this be written? */
function requireWritable(file: string, force: boolean): void {
  const fail = (reason: string) => new Failure(`${shownName(file)}: ${reason}`);
  if (/[/\\]$/.test(file) || statusOf(file)?.isDirectory())
    throw fail('it is a directory, not a file to write');
  const status = statusOf(file);
  if (status === undefined) return;
  if (!status.isFile()) throw fail('it is no regular file');
  if (!force) throw fail('it exists; --force replaces it');
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

export class OutputFile {
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
    const name = `.${basename(this.file).slice(0, 40)}.${randomBytes(6).toString('hex')}.tmp`;
    this.#temporary = join(dirname(this.file), name);
    this.descriptor = withFile(file, "it can't be written", () => openSync(this.#temporary, 'wx+'));
    process.on('exit', this.#remove);
    for (const signal of signals) process.on(signal, this.#removeAndDie);
    if (status !== undefined)
      withFile(file, "it can't be written", () => chmodSync(this.#temporary, status.mode & 0o777));
  }

  /** Complete, and on the disk, it gets its name. */
  commit(): void {
    withFile(this.file, "it can't be written", () => {
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
