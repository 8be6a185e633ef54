// What goes wrong, and how a command line says it: one line, an exit code.

/** Something about a file or this machine: exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** Something about the words of the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** Whose help is of use. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'a file of this size is not allowed here',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the device reports an error (EIO)',
};

/** The reason of a file system's error, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons[code]) || message || String(error);
}

/** A system's error as a failure that names the file; any other error as it is. */
export function failureOf(file: string, what: string, error: unknown): unknown {
  if (error instanceof Failure || (error as NodeJS.ErrnoException).syscall === undefined) return error;
  return new Failure(`${shownName(file)}: ${what}: ${reasonOf(error)}`, { cause: error });
}

/** Runs what may fail for a reason of the file system. */
export function withFile<Result>(file: string, what: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw failureOf(file, what, error);
  }
}

/** Runs what may fail for a reason within a file; the failure names it. */
export function ofFile<Result>(file: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${shownName(file)}: ${error.message}`, { cause: error });
  }
}

/** A file's name, or a part of a file, on one line: without what could end the line or drive a terminal. */
export const shownName = (text: string): string =>
  text.replace(/\p{C}/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
