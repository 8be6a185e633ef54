// Counts checks, and prints a line of each.
import { deepStrictEqual } from 'node:assert';

let passed = 0;
let failed = 0;

/** Passes unless `look` throws or rejects; what it returns is printed behind the name. */
export async function check(name, look) {
  try {
    const note = await look();
    passed++;
    console.log(`ok      ${name}${note === undefined ? '' : ` (${note})`}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error.message.replace(/^/gm, '        ')}`);
  }
}

/** A check that this machine can't make. */
export function skip(name, why) {
  console.log(`skipped ${name}: ${why}`);
}

/** Throws with both, when they are not alike. */
export function expectEqual(actual, expected) {
  deepStrictEqual(actual, expected);
}

/** Throws with both, when the text has no match. */
export function expectMatch(text, pattern) {
  if (!pattern.test(text)) throw new Error(`${pattern} does not match\n${text}`);
}

export function finish() {
  console.log(`package: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
