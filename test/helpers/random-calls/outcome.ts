// What a call comes to, and how two of them differ: result or error, the caller's memory, what was read of the caller's
// objects.

import { signatureOf } from './functions.js';
import { bytesOf, hostileReads, type Placed } from './memory.js';
import { TrapError } from './traps.js';
import type { World } from './world.js';

export interface Outcome {
  readonly world: World;
  readonly result: unknown;
  /** What was thrown, or what a promise was rejected with. */
  readonly error: unknown;
  readonly hasFailed: boolean;
  /** What ran of the caller's code where nothing of it should. */
  readonly ran: readonly string[];
}

const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Int8Array.prototype),
  Symbol.toStringTag,
)?.get;
const kindOf = (value: unknown): string | undefined => tagOf?.call(value);

const view = (array: unknown): Uint8Array => {
  const { buffer, byteOffset, byteLength } = array as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

const shown = (value: unknown): string =>
  typeof value === 'symbol' || typeof value === 'object' || typeof value === 'function'
    ? (kindOf(value) ?? typeof value)
    : `${Object.is(value, -0) ? '-0' : String(value)}`;

/** How two values differ, each in the words of its own world; undefined: they are the same. */
export function valueDifference(
  a: unknown,
  b: unknown,
  of: World,
  other: World,
  path: string,
): string | undefined {
  const [nameA, nameB] = [of.names.get(a), other.names.get(b)];
  if (nameA !== nameB) return `${path}: ${nameA ?? shown(a)} and ${nameB ?? shown(b)}`;
  if (nameA !== undefined || Object.is(a, b)) return undefined;
  const different = `${path}: ${shown(a)} and ${shown(b)}`;
  const isObjects = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null;
  if (typeof a === 'symbol' || typeof a === 'function')
    return typeof a === typeof b && String(a) === String(b) ? undefined : different;
  if (!isObjects) return different;
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  if (kindA !== kindB) return `${path}: ${kindA} and ${kindB}`;
  if (kindA !== undefined) return arrayDifference(a, b, path);
  const [keysA, keysB] = [Object.keys(a), Object.keys(b)];
  if (keysA.join() !== keysB.join()) return `${path}: fields ${keysA} and ${keysB}`;
  for (const key of keysA) {
    const [fieldA, fieldB] = [(a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]];
    const difference = valueDifference(fieldA, fieldB, of, other, `${path}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function arrayDifference(a: unknown, b: unknown, path: string): string | undefined {
  const [bytesA, bytesB] = [view(a), view(b)];
  if (isSameBytes(bytesA, bytesB)) return undefined;
  const [x, y] = [a as Float32Array, b as Float32Array];
  if (x.length !== y.length) return `${path}: ${x.length} and ${y.length} elements`;
  const size = bytesA.length / x.length;
  const index = Math.floor(bytesA.findIndex((byte, i) => byte !== bytesB[i]) / size);
  return `${path}[${index}] of ${x.length}: ${shown(x[index])} and ${shown(y[index])}`;
}

const errorFields = ['code', 'message', 'fn', 'argument', 'row', 'index', 'value'] as const;

function errorDifference(a: unknown, b: unknown, of: World, other: World): string | undefined {
  const [x, y] = [a as Error, b as Error];
  if (x.constructor !== y.constructor) return `errors: ${x} and ${y}`;
  for (const field of errorFields) {
    const [valueA, valueB] = [Reflect.get(x, field), Reflect.get(y, field)];
    const difference = valueDifference(valueA, valueB, of, other, `error.${field}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** How the results or the errors of two calls differ. */
export function resultDifference(a: Outcome, b: Outcome): string | undefined {
  if (a.hasFailed !== b.hasFailed) return `${said(a)} and ${said(b)}`;
  return a.hasFailed
    ? errorDifference(a.error, b.error, a.world, b.world)
    : valueDifference(a.result, b.result, a.world, b.world, 'result');
}

const said = ({ hasFailed, error, result }: Outcome): string =>
  hasFailed ? `an error (${error})` : `a result (${shown(result)})`;

/** How the caller's memory differs after two calls. */
export function memoryDifference(a: World, b: World): string | undefined {
  for (const [i, { name, buffer }] of a.placed.entries()) {
    const [x, y] = [bytesOf(buffer), bytesOf((b.placed[i] as Placed).buffer)];
    if (isSameBytes(x, y)) continue;
    const index = x?.findIndex((byte, at) => byte !== y?.[at]);
    return `memory of ${name} differs at byte ${index} of ${x?.length} and ${y?.length}`;
  }
  return undefined;
}

/** What is read more often than once an argument, or looked at where nothing should be. */
export function readProblem({ world, ran }: Outcome): string | undefined {
  if (ran.length > 0) return `a caller's code ran: ${ran}`;
  const { reads } = world.traps;
  const counts = new Map<string, number>();
  const { plan } = world;
  // Several calls of methods.
  if (signatureOf(plan.fn).shards === 'chunks') return undefined;
  const twice = plan.isSameInput ? `${signatureOf(plan.fn).inputs[0]}.` : undefined;
  for (const name of reads) {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const most = twice !== undefined && name.startsWith(twice) ? 2 : 1;
    if (count > most) return `${name} is read ${count} times`;
  }
  return undefined;
}

/** Of SoftmaxStream, as errors have them. */
const methods = ['push', 'state', 'finishSoftmax'];

/** Errors have a code and say which function they are of, unless the caller's own code threw them. */
export function errorProblem({ world, hasFailed, error }: Outcome): string | undefined {
  if (!hasFailed || error instanceof TrapError) return undefined;
  const { code, message, fn } = error as { code?: unknown; message: string; fn?: unknown };
  const isTyped = error instanceof TypeError || error instanceof RangeError;
  const isOwn = fn === world.plan.fn || (world.plan.fn === 'SoftmaxStream' && methods.includes(String(fn)));
  const isCoded = isTyped && /^ERR_[A-Z_]+$/.test(String(code)) && isOwn;
  return isCoded && message.startsWith(`${fn}: `) ? undefined : `an error without a code: ${String(error)}`;
}

export const takeHostileReads = (): string[] => hostileReads.splice(0);

/** The memory of a world, to hold it against later. */
export const snapshotOf = ({ placed }: World): (Uint8Array | undefined)[] =>
  placed.map(({ buffer }) => bytesOf(buffer)?.slice());

/** Whether there was no memory: that shows only after all checks, when inputs may have been given up. */
export const isWithoutMemory = ({ hasFailed, error }: Outcome): boolean =>
  hasFailed && /: no memory for /.test((error as Error).message);

/** What was changed that should not be: all of the memory but the outputs of a call that succeeds. */
export function untouchedProblem(
  outcome: Outcome,
  before: readonly (Uint8Array | undefined)[],
  isGivenUp: boolean,
): string | undefined {
  const { world, hasFailed } = outcome;
  const { way, meanwhile } = world.plan;
  const mayBeGone = isGivenUp && (!hasFailed || isWithoutMemory(outcome));
  if (world.traps.hasFired || (way !== 'sync' && meanwhile !== 'nothing')) return undefined;
  for (const [i, { name, buffer }] of world.placed.entries()) {
    const [was, is] = [before[i], bytesOf(buffer)];
    if (was === undefined || (is === undefined && mayBeGone)) continue;
    if (is === undefined || is.length !== was.length) return `memory of ${name} is gone`;
    if (!hasFailed)
      for (const output of world.outputs)
        if (output.buffer === buffer) was.set(is.subarray(output.begin, output.end), output.begin);
    if (Buffer.compare(was, is) !== 0) return `memory of ${name} is written to`;
  }
  return undefined;
}
