import { createHash } from 'node:crypto';
import { CLASSES, type Image } from './data.js';
import type { Library } from './library.js';
import type { Run } from './model.js';

const DIGITS = Array.from({ length: CLASSES }, (_, digit) => digit);

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

export function describeBackend({ kind, isa, reason }: Library['backend']): string {
  return `backend  ${isa ? `${kind}, ${isa}` : kind}: ${reason}`;
}

/** How often each digit was taken for each: a row per digit, a column per answer. */
export function confusionTable(images: Image[], answers: number[]): string {
  const counts = DIGITS.map(() => DIGITS.map(() => 0));
  for (const [index, { label }] of images.entries()) {
    const row = counts[label] ?? [];
    const answer = answers[index] ?? 0;
    row[answer] = (row[answer] ?? 0) + 1;
  }
  const rows = counts.map((row, digit) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    // A dot for zero lets the mistakes stand out.
    const cells = row.map((count) => `${count || '·'}`.padStart(5)).join('');
    return `  ${digit}  ${cells}   ${percent((row[digit] ?? 0) / total).padStart(8)}`;
  });
  const head = `     ${DIGITS.map((digit) => `${digit}`.padStart(5)).join('')}      right`;
  return [
    `answers to the ${images.length} test images (row: the digit, column: the answer)`,
    head,
    ...rows,
  ].join('\n');
}

/** Where the time went, and what the other backend makes of the same run. */
export function timings(backend: Library['backend'], run: Run, jsRun: Run | undefined): string {
  const share = percent(run.libraryMilliseconds / run.milliseconds);
  const lines = [
    `training  ${(run.milliseconds / 1000).toFixed(2)} s: ${share} in softmax-native, the rest this example's own arithmetic`,
  ];
  if (!jsRun) {
    lines.push(`crossEntropy  ${callTimes(run)}`);
    lines.push(`Both runs would be JavaScript, so there is nothing to compare: ${backend.reason}.`);
    return lines.join('\n');
  }
  const ratio = jsRun.libraryMilliseconds / run.libraryMilliseconds;
  lines.push(`crossEntropy, native  ${callTimes(run)}`);
  lines.push(`crossEntropy, js      ${callTimes(jsRun)}, ${ratio.toFixed(1)} times the native time`);
  lines.push(
    weightBytes(run).equals(weightBytes(jsRun))
      ? 'The weights of both runs are identical, bit for bit.'
      : 'THE WEIGHTS OF THE TWO RUNS DIFFER, which they must not: please report this.',
  );
  return lines.join('\n');
}

function callTimes({ libraryMilliseconds, losses }: Run): string {
  const each = (1000 * libraryMilliseconds) / losses.length;
  return `${libraryMilliseconds.toFixed(1)} ms in ${losses.length} calls, ${each.toFixed(1)} µs each`;
}

export function weightsDigest(run: Run): string {
  return createHash('sha256').update(weightBytes(run)).digest('hex');
}

// Little-endian on every machine, so that the digests agree.
function weightBytes({ weights }: Run): Buffer {
  const bytes = Buffer.alloc(weights.byteLength);
  for (const [index, weight] of weights.entries()) bytes.writeFloatLE(weight, 4 * index);
  return bytes;
}
