/**
 * Stable codes of the errors this library throws, `error.code`:
 *
 * - ERR_DTYPE: an array of the wrong kind, or dtypes that do not go together
 * - ERR_SHAPE: shapes and lengths that disagree, or that there is no memory for
 * - ERR_AXIS: an axis that the shape does not have
 * - ERR_TEMPERATURE: negative or NaN; 0 or Infinity where there is no limit
 * - ERR_TARGET_RANGE: a class index outside [0, C) that is not `ignoreIndex`
 * - ERR_LABEL_SMOOTHING: outside [0, 1]
 * - ERR_MASK: of the wrong kind or shape
 * - ERR_OUT_OVERLAP: an output shares part of the memory of an input or another output
 * - ERR_DETACHED: a detached buffer, or a view out of its buffer's bounds
 * - ERR_NOT_ON_CPU: a tensor whose `location` is not the CPU
 * - ERR_OPTION: any other option, and what other libraries call one
 * - ERR_BACKEND: a forced backend or instruction set that can't be had
 * - ERR_RUNTIME: the runtime lacks what an asynchronous call needs
 */
export type SoftmaxErrorCode =
  | 'ERR_DTYPE'
  | 'ERR_SHAPE'
  | 'ERR_AXIS'
  | 'ERR_TEMPERATURE'
  | 'ERR_TARGET_RANGE'
  | 'ERR_LABEL_SMOOTHING'
  | 'ERR_MASK'
  | 'ERR_OUT_OVERLAP'
  | 'ERR_DETACHED'
  | 'ERR_NOT_ON_CPU'
  | 'ERR_OPTION'
  | 'ERR_BACKEND'
  | 'ERR_RUNTIME';

/** What an error says beside its message, where it applies. */
export interface SoftmaxErrorDetails {
  /** The function that was called. */
  readonly fn?: string;
  /** The argument or option at fault. */
  readonly argument?: string;
  /** The row at fault, counted from 0. */
  readonly row?: number;
  /** The element of the argument at fault, counted from 0. */
  readonly index?: number;
  /** The value at fault. */
  readonly value?: unknown;
}

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
  details: SoftmaxErrorDetails,
  cause?: unknown,
): SoftmaxError {
  const error = new ErrorType(message, cause === undefined ? undefined : { cause });
  // Of no function: it is met where an entry point loads.
  if (code !== 'ERR_BACKEND') unnamed.add(error);
  return Object.assign(error, { code }, details) as SoftmaxError;
}

/** A value of the wrong kind. */
export function typeError(
  code: SoftmaxErrorCode,
  message: string,
  details: SoftmaxErrorDetails,
): SoftmaxError {
  return make(TypeError, code, message, details);
}

/** A value of the right kind that is out of its range. */
export function rangeError(
  code: SoftmaxErrorCode,
  message: string,
  details: SoftmaxErrorDetails,
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

/** A value as a message shows it: short, and never a conversion that runs user code. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'function') return 'a function';
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return String(value);
  return isArray(value) ? 'an array' : 'an object';
}
