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

/** What the package does in each training step. */
export function announcement(batchSize: number): string {
  return `Each training step makes one call for the loss and its gradient, which replaces the logits:
  const { loss } = crossEntropy(logits, labels, { shape: [${batchSize}, ${CLASSES}], grad: logits });
`;
}

/** The times in microseconds by name, the plain loop's last, as it is what the others are compared with. */
export function timings(times: [name: string, microseconds: number][], batchSize: number): string {
  const loop = times.at(-1)?.[1] ?? Number.NaN;
  const lines = times.map(([name, time], index) => {
    const line = `  ${name.padEnd(28)} ${time.toFixed(1).padStart(6)} µs`;
    if (index === times.length - 1) return line;
    return time <= loop
      ? `${line}  ${(loop / time).toFixed(1)} times as fast as the loop`
      : `${line}  ${(time / loop).toFixed(1)} times as long as the loop, for the bits of native code`;
  });
  return [`That call for a batch of ${batchSize} × ${CLASSES} logits, repeated (median):`, ...lines].join(
    '\n',
  );
}

export function sameWeights(run: Run, jsRun: Run): string {
  return weightBytes(run).equals(weightBytes(jsRun))
    ? 'Native code and JavaScript have learned the same weights, bit for bit.'
    : 'THE WEIGHTS OF THE TWO RUNS DIFFER, which they must not: please report this.';
}

export function trainingTime({ milliseconds }: Run): string {
  return `training  ${(milliseconds / 1000).toFixed(2)} s, most of it this example's own matrix product`;
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
