/**
 * Stable codes of the errors this library throws, `error.code`:
 *
 * - ERR_DTYPE: an array of the wrong kind, or dtypes that do not go together
 * - ERR_SHAPE: shapes and lengths that disagree, or that there is no memory for
 * - ERR_AXIS: an axis that is no integer, or that the shape does not have
 * - ERR_TEMPERATURE: negative or NaN; 0 or Infinity where there is no limit
 * - ERR_K: a number of elements to keep or to report that is no integer, negative, or more than there are
 * - ERR_TARGET_RANGE: a class index outside [0, C) that is not `ignoreIndex`
 * - ERR_LABEL_SMOOTHING: outside [0, 1]
 * - ERR_MASK: of the wrong kind or shape
 * - ERR_OUT_OVERLAP: an output shares part of the memory of an input or another output
 * - ERR_DETACHED: a detached buffer, or a view out of its buffer's bounds
 * - ERR_NOT_ON_CPU: a tensor whose `location` is not the CPU
 * - ERR_K: a number of places that is no integer, or more than there are
 * - ERR_STATE: a state of sharded rows that is none, or states that do not belong together
 * - ERR_OPTION: any other option, and what other libraries call one
 * - ERR_BACKEND: a forced backend or instruction set that can't be had
 * - ERR_RUNTIME: the runtime lacks what an asynchronous call needs
 */
export type SoftmaxErrorCode =
  | 'ERR_DTYPE'
  | 'ERR_SHAPE'
  | 'ERR_AXIS'
  | 'ERR_TEMPERATURE'
  | 'ERR_K'
  | 'ERR_TARGET_RANGE'
  | 'ERR_LABEL_SMOOTHING'
  | 'ERR_MASK'
  | 'ERR_OUT_OVERLAP'
  | 'ERR_DETACHED'
  | 'ERR_NOT_ON_CPU'
  | 'ERR_K'
  | 'ERR_STATE'
  | 'ERR_OPTION'
  | 'ERR_BACKEND'
  | 'ERR_RUNTIME';

/** What an error says beside its message, where it applies. Never a reference to what the caller gave. */
export interface SoftmaxErrorDetails {
  /** The function that was called. */
  readonly fn?: string;
  /** The argument or option at fault, cut to 40 characters. */
  readonly argument?: string;
  /** The row at fault, counted from 0. */
  readonly row?: number;
  /** The element of the argument at fault, counted from 0. */
  readonly index?: number;
  /**
   * The value at fault: a number, boolean, null or undefined as it is, a string cut to 80 characters. A bigint becomes the
   * string of its digits, anything else a short description such as 'Float32Array'. So an error can be logged:
   * JSON.stringify does not throw, and makes less than 1 KB of it (of NaN and infinities null).
   */
  readonly value?: number | string | boolean | null | undefined;
}

/** Details as they are found: make says them so that an error holds nothing of the caller's. */
type Found = Omit<SoftmaxErrorDetails, 'value'> & { readonly value?: unknown };

/** The shape of every error: a TypeError or RangeError with a code and details. */
export type SoftmaxError = (TypeError | RangeError) & {
  /** Stable: programs may depend on it. */
  readonly code: SoftmaxErrorCode;
} & SoftmaxErrorDetails;

/** Errors that do not say yet in which function they happened: inFunction adds it, where a public function is left. */
const unnamed = new WeakSet<object>();

function make(
  ErrorType: TypeErrorConstructor | RangeErrorConstructor,
  code: SoftmaxErrorCode,
  message: string,
  details: Found,
  cause?: unknown,
): SoftmaxError {
  // Of no function: it is met where an entry point loads. It may have paths in it, and what to do at its end.
  const isOfLoading = code === 'ERR_BACKEND';
  const text = isOfLoading ? message : cut(message, 800);
  const error = new ErrorType(text, cause === undefined ? undefined : { cause });
  if (!isOfLoading) unnamed.add(error);
  const { argument, value } = details;
  const plain = {
    ...details,
    ...(argument === undefined ? {} : { argument: cut(argument, 40) }),
    ...('value' in details ? { value: plainValue(value) } : {}),
  };
  return Object.assign(error, { code }, plain) as SoftmaxError;
}

/** A value of the wrong kind. */
export function typeError(code: SoftmaxErrorCode, message: string, details: Found): SoftmaxError {
  return make(TypeError, code, message, details);
}

/** A value of the right kind that is out of its range. */
export function rangeError(
  code: SoftmaxErrorCode,
  message: string,
  details: Found,
  cause?: unknown,
): SoftmaxError {
  return make(RangeError, code, message, details, cause);
}

/**
 * The error with the name of the public function that it leaves, in `fn` and before its message. The code that reads
 * and checks arguments need not know it. Errors of user code stay as they are.
 */
export function inFunction(fn: string, error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !unnamed.delete(error)) return error;
  const own = error as { message: string; stack?: unknown; fn?: string };
  const { message } = own;
  own.message = `${fn}: ${message}`;
  own.fn = fn;
  // An engine writes the message into the stack when the error is made, a program's Error.prepareStackTrace when the stack
  // is first read; it may also throw, or make something else of it.
  try {
    const { stack } = own;
    if (typeof stack === 'string' && !stack.includes(own.message))
      own.stack = stack.replace(message, () => own.message);
  } catch {}
  return error;
}

/** A proxy that was revoked is none, instead of an error of the engine's. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** A text, or so many characters of it. */
export const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}…` : text;

/** A value as a message shows it: short, and never a conversion that runs user code. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value, 40));
  if (typeof value === 'bigint') return digitsOf(value, 'n');
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'function') return 'a function';
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return String(value);
  return isArray(value) ? 'a plain array' : kindOfMemory(value);
}

/** A value as an error keeps it. */
function plainValue(value: unknown): SoftmaxErrorDetails['value'] {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value === null || value === undefined) return value;
  if (typeof value === 'string') return cut(value, 80);
  return typeof value === 'bigint' ? digitsOf(value, '') : formatValue(value);
}

/** To write a bigint of a million digits takes long. */
const mostDigits = 40;
const tooManyDigits = 10n ** BigInt(mostDigits);

const digitsOf = (value: bigint, suffix: string): string =>
  value > -tooManyDigits && value < tooManyDigits
    ? `${value}${suffix}`
    : `a bigint of more than ${mostDigits} digits`;

const getterOf = (prototype: object, key: PropertyKey) =>
  Object.getOwnPropertyDescriptor(prototype, key)?.get as () => unknown;
const kindOfTypedArray = getterOf(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag);
/** Not everywhere are there shared ones. */
const bufferKinds = [globalThis.ArrayBuffer, globalThis.SharedArrayBuffer].filter(
  (kind) => kind !== undefined,
);
const buffers = bufferKinds.map(({ name, prototype }) => ({
  name,
  byteLength: getterOf(prototype, 'byteLength'),
}));

/** Which kind of view or buffer an object is, of whichever realm; else that it is an object. */
function kindOfMemory(value: object): string {
  if (ArrayBuffer.isView(value)) return (kindOfTypedArray.call(value) as string | undefined) ?? 'a DataView';
  for (const { name, byteLength } of buffers)
    try {
      byteLength.call(value);
      return name === 'ArrayBuffer' ? `an ${name}` : `a ${name}`;
    } catch {}
  return 'an object';
}
