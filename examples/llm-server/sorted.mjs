/**
 * In place of sampleRows: what people write in JavaScript. The probabilities and their tokens as pairs, sorted; the first
 * of them until their sum reaches topP; one of these. Temperature and topP only.
 */
export function sampleSorted(logits, classes, rows) {
  return rows.map(({ settings: { temperature, topP } }, row) => {
    const scaled = Array.from(
      logits.subarray(row * classes, (row + 1) * classes),
      (logit) => logit / temperature,
    );
    const largest = scaled.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
    const exponentials = scaled.map((logit) => Math.exp(logit - largest));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    const pairs = exponentials.map((value, token) => ({ token, probability: value / total }));
    pairs.sort((one, other) => other.probability - one.probability);
    let kept = 0;
    let sum = 0;
    while (kept < pairs.length && sum < topP) sum += pairs[kept++].probability;
    let left = Math.random() * sum;
    const drawn = pairs.slice(0, kept).find(({ probability }) => {
      left -= probability;
      return left < 0;
    });
    return { token: (drawn ?? pairs[0]).token };
  });
}
