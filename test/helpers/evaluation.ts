// Figures of logits and labels, from their definitions alone, in float64; and files of labels.

import { dictText, type Folder, headerBytes } from './npy.js';

type Numbers = ArrayLike<number>;
type Labels =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

export interface Expected {
  readonly rows: number;
  readonly ignored: number;
  readonly crossEntropy: number;
  readonly perplexity: number;
  readonly accuracy: number;
  readonly top5Accuracy: number;
  readonly ece: number;
  readonly mce: number;
  readonly brier: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** A row: its loss, Brier score, confidence, and whether the label is the first class, or among five. */
function rowOf(logits: readonly number[], label: number) {
  const top = Math.max(...logits);
  const exponentials = logits.map((z) => Math.exp(z - top));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const p = exponentials.map((e) => e / sum);
  const order = logits
    .map((_, c) => c)
    .sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  return {
    loss: Math.log(sum) - ((logits[label] as number) - top),
    brier: p.reduce((all, share, c) => all + (share - (c === label ? 1 : 0)) ** 2, 0),
    confidence: Math.max(...p),
    isCorrect: order[0] === label,
    isAmongFive: order.slice(0, 5).includes(label),
  };
}

/** As Guo et al. 2017 define ECE and MCE: the m-th of M bins is ((m − 1) / M, m / M]. */
export function reference(
  logits: Numbers,
  classes: number,
  labels: Numbers,
  { temperature = 1, bins = 15, ignored = -100 } = {},
): Expected {
  const kept = Array.from(labels, (label, row) => ({ label, row })).filter(({ label }) => label !== ignored);
  const rows = kept.map(({ label, row }) => {
    const own = Array.from(
      { length: classes },
      (_, c) => (logits[row * classes + c] as number) / temperature,
    );
    return rowOf(own, label);
  });
  let [ece, mce] = [0, 0];
  for (let m = 0; m < bins; m++) {
    const bin = rows.filter(({ confidence }) => confidence > m / bins && confidence <= (m + 1) / bins);
    if (bin.length === 0) continue;
    const accuracy = mean(bin.map(({ isCorrect }) => Number(isCorrect)));
    const gap = Math.abs(accuracy - mean(bin.map(({ confidence }) => confidence)));
    ece += (gap * bin.length) / rows.length;
    mce = Math.max(mce, gap);
  }
  const crossEntropy = mean(rows.map(({ loss }) => loss));
  return {
    rows: rows.length,
    ignored: labels.length - rows.length,
    crossEntropy,
    perplexity: Math.exp(crossEntropy),
    accuracy: mean(rows.map(({ isCorrect }) => Number(isCorrect))),
    top5Accuracy: mean(rows.map(({ isAmongFive }) => Number(isAmongFive))),
    ece,
    mce,
    brier: mean(rows.map(({ brier }) => brier)),
  };
}

/** A file of labels; those of '>i4' and the like are swapped. */
export function labelFile(
  folder: Folder,
  name: string,
  descr: string,
  labels: Labels,
  shape: readonly number[] = [labels.length],
): string {
  const bytes = Buffer.from(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength));
  const size = labels.BYTES_PER_ELEMENT;
  if (descr.startsWith('>') && size === 2) bytes.swap16();
  if (descr.startsWith('>') && size === 4) bytes.swap32();
  if (descr.startsWith('>') && size === 8) bytes.swap64();
  return folder.write(name, headerBytes(dictText(descr, shape)), bytes);
}
