// Why there is no native backend: what happened, and what to do about it.

import { process } from '../../node-modules.js';

/** One line: `what happened; what to do`. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  /** Whether native code was to be expected here, so that its user should hear of it unasked. */
  readonly isUnexpected: boolean;

  constructor(happened: string, remedy: string, isUnexpected: boolean, cause?: unknown) {
    super(`${happened}; ${remedy}`, cause === undefined ? undefined : { cause });
    this.isUnexpected = isUnexpected;
  }
}

export const reinstall = 'remove softmax-native from node_modules and install it again';
export const rebuild = 'npm run build:native builds it';

/** Messages of the system's loader have several lines, and the file's path in front, which is said already. */
function firstLine(error: unknown, path: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line] = message.trim().split(/\r?\n/, 1) as [string];
  return line.startsWith(`${path}: `) ? line.slice(path.length + 2) : line;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** Deno's error when it was not given a permission. */
const isDenoRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'NotCapable';

/** The error of a file that can't be opened or read. */
export function readingFailed(path: string, error: unknown): LoadError {
  if (isDenoRefusal(error))
    return new LoadError(
      `Deno was not allowed to read ${path}`,
      'run it with --allow-read --allow-ffi',
      false,
      error,
    );
  if (codeOf(error) === 'ERR_ACCESS_DENIED') {
    const happened = `Node's permission model forbids reading ${path}`;
    return new LoadError(happened, `run with --allow-addons and --allow-fs-read=${path}`, false, error);
  }
  return new LoadError(`can't read ${path} (${firstLine(error, path)})`, 'make it readable', true, error);
}

/** The addon is not to be loaded at all: whoever started the process said so. */
function refusal(error: unknown): LoadError | undefined {
  if (isDenoRefusal(error))
    return new LoadError('Deno was not allowed to load addons', 'run it with --allow-ffi', false, error);
  if (codeOf(error) !== 'ERR_DLOPEN_DISABLED') return undefined;
  return process.permission === undefined
    ? new LoadError('addons are disabled by --no-addons', 'run without it', false, error)
    : new LoadError("Node's permission model forbids addons", 'run with --allow-addons', false, error);
}

/** What the system's loader says of a file that is whole and for this platform, and what to do. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/version `GLIBC_/, 'it needs glibc 2.28 or later: update the system'],
  [/failed to map segment|Operation not permitted/, 'is its file system mounted noexec?'],
  [/\.zip\//, 'Yarn keeps it in an archive: set dependenciesMeta.softmax-native.unplugged in package.json'],
];

/** The error of a file that the system's loader, or the addon's own start, refused. */
export function loadingFailed(path: string, error: unknown, again: string): LoadError {
  const refused = refusal(error);
  if (refused !== undefined) return refused;
  const said = firstLine(error, path);
  const remedy = advice.find(([pattern]) => pattern.test(`${path} ${said}`))?.[1] ?? again;
  return new LoadError(`${path} does not load: ${said}`, remedy, true, error);
}
