// What people write without a library: the largest by a loop, top-p by sorting.

function probabilities(logits: Float32Array): Float64Array {
  let top = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > top) top = logit;
  const p = new Float64Array(logits.length);
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += p[i] = Math.exp((logits[i] as number) - top);
  for (let i = 0; i < p.length; i++) p[i] = (p[i] as number) / sum;
  return p;
}

/** The k largest, kept in order in a small array. */
export function topLoop(logits: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i] as number;
    if (best.length === k && logit <= (logits[best[k - 1] as number] as number)) continue;
    let at = best.length;
    while (at > 0 && logit > (logits[best[at - 1] as number] as number)) at--;
    best.splice(at, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}

/** A class of the nucleus. `order` yields classes by falling probability. */
function drawn(order: Iterable<number>, p: ArrayLike<number>, topP: number): number {
  const kept: number[] = [];
  let sum = 0;
  for (const i of order) {
    kept.push(i);
    sum += p[i] as number;
    if (sum >= topP) break;
  }
  let left = Math.random() * sum;
  for (const i of kept) {
    left -= p[i] as number;
    if (left < 0) return i;
  }
  return kept.at(-1) as number;
}

/** Classes sorted in a typed array of their numbers. */
export function indexSort(logits: Float32Array, topP: number): number {
  const p = probabilities(logits);
  const order = Int32Array.from(p, (_, i) => i).sort((a, b) => (p[b] as number) - (p[a] as number));
  return drawn(order, p, topP);
}

/** Pairs of class and probability sorted: the usual way. */
export function sortedPairs(logits: Float32Array, topP: number): number {
  const p = probabilities(logits);
  const pairs = Array.from(p, (value, i) => [i, value] as const).sort(([, a], [, b]) => b - a);
  return drawn(
    pairs.map(([i]) => i),
    p,
    topP,
  );
}
