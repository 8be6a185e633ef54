/** Stable codes of the errors this library throws: `error.code`. */
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
  | 'ERR_BACKEND';

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

function make(
  ErrorType: TypeErrorConstructor | RangeErrorConstructor,
  code: SoftmaxErrorCode,
  message: string,
  details: SoftmaxErrorDetails,
  cause?: unknown,
): SoftmaxError {
  const prefix = details.fn === undefined ? '' : `${details.fn}: `;
  const error = new ErrorType(prefix + message, cause === undefined ? undefined : { cause });
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

/** A value as a message shows it: short, and never a conversion that runs a caller's code. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'function') return 'a function';
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
