// Errors are for logs: they hold nothing of what the caller gave, and are short.

const mostBytes = 1024;

const sizeOf = (text: string): number => Buffer.byteLength(text);

/** Kinds of values that JSON has, and undefined. */
const plainTypes = ['number', 'string', 'boolean', 'undefined'];
const isPlain = (value: unknown): boolean => value === null || plainTypes.includes(typeof value);

/** What makes an error of the package none for logs. */
export function notPlain(error: unknown): string | undefined {
  const own = error as Record<string, unknown> & Error;
  const heldBy = Object.getOwnPropertyNames(own).find((name) => name !== 'cause' && !isPlain(own[name]));
  if (heldBy !== undefined) return `its ${heldBy} is ${typeof own[heldBy]}`;
  for (const text of [JSON.stringify(error), JSON.stringify({ ...own }), own.message])
    if (sizeOf(text) >= mostBytes) return `it is long: ${text.slice(0, 100)}`;
  return undefined;
}

/** What an error makes of a value at fault that JSON does not have: of a bigint its digits, else a description. */
export const isShownAs = (value: unknown, shown: unknown): boolean => {
  if (typeof value === 'bigint') return shown === String(value);
  if (isPlain(value)) return Object.is(value, shown);
  return typeof shown === 'string' && /^an? |Array$|^\[/.test(shown);
};
