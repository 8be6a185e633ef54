// The filters of sample by their definitions, with sorts and probabilities in float64.

export interface Settings {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly typicalP: number;
  readonly topNSigma: number;
  readonly minKeep: number;
  readonly keepTies: boolean;
  readonly order: 'temperature-first' | 'temperature-last';
}

export const off: Settings = {
  ...{ temperature: 1, topK: 0, topP: 1, minP: 0, typicalP: 1, topNSigma: 0, minKeep: 1, keepTies: false },
  order: 'temperature-first',
};

/** A class that is left, and its logit. */
interface Left {
  readonly index: number;
  readonly z: number;
}

/** What is left of a row, and the logarithms of its probabilities; `margin`: how near a decision was to another. */
export interface Kept {
  readonly indices: readonly number[];
  readonly logProbs: readonly number[];
  readonly margin: number;
}

const logProbsOf = (zs: readonly number[]): number[] => {
  const top = zs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logSum = Math.log(zs.reduce((sum, z) => sum + Math.exp(z - top), 0));
  return zs.map((z) => z - top - logSum);
};

export function keptOf(logits: readonly number[], settings: Settings): Kept {
  const { temperature, topK, topP, minP, typicalP, topNSigma, minKeep, keepTies, order } = settings;
  let margin = Number.POSITIVE_INFINITY;
  const near = (a: number, b: number) => {
    margin = Math.min(margin, Math.abs(a - b));
  };
  let left: Left[] = logits.map((z, index) => ({ z, index })).filter(({ z }) => z > -Infinity);
  const descending = () => [...left].sort((a, b) => b.z - a.z || a.index - b.index);
  const keep = (first: readonly Left[]) => {
    left = [...first].sort((a, b) => a.index - b.index);
  };
  /** The first until their probabilities reach p. */
  const mass = (sorted: readonly Left[], p: number): number => {
    const logProbs = logProbsOf(left.map(({ z }) => z));
    const probabilities = new Map(left.map(({ index }, i) => [index, Math.exp(logProbs[i] as number)]));
    let [sum, count] = [0, 0];
    while (count < sorted.length && sum < p) {
      sum += probabilities.get((sorted[count] as Left).index) as number;
      count++;
      near(sum, p);
    }
    return Math.max(count, minKeep);
  };
  const steps = {
    temperature: () => keep(left.map(({ z, index }) => ({ z: z / temperature, index }))),
    topNSigma: () => {
      if (topNSigma === 0) return;
      const mean = left.reduce((sum, { z }) => sum + z, 0) / left.length;
      const sigma = Math.sqrt(left.reduce((sum, { z }) => sum + (z - mean) ** 2, 0) / left.length);
      const sorted = descending();
      const bound = (sorted[0] as Left).z - topNSigma * sigma;
      for (const { z } of left) near(z, bound);
      keep(sorted.filter(({ z }, i) => z >= bound || i < minKeep));
    },
    topK: () => {
      if (topK === 0) return;
      const sorted = descending();
      const count = Math.max(topK, minKeep);
      const last = sorted[Math.min(count, sorted.length) - 1] as Left;
      keep(sorted.filter(({ z }, i) => i < count || (keepTies && z === last.z)));
    },
    topP: () => {
      if (topP < 1) keep(descending().slice(0, mass(descending(), topP)));
    },
    minP: () => {
      if (minP === 0) return;
      const sorted = descending();
      const bound = (sorted[0] as Left).z + Math.log(minP);
      for (const { z } of left) near(z, bound);
      keep(sorted.filter(({ z }, i) => z >= bound || i < minKeep));
    },
    typicalP: () => {
      if (typicalP === 1) return;
      const logProbs = logProbsOf(left.map(({ z }) => z));
      const entropy = -logProbs.reduce((sum, logP) => sum + Math.exp(logP) * logP, 0);
      const distances = new Map(
        left.map(({ index }, i) => [index, Math.abs(-(logProbs[i] as number) - entropy)]),
      );
      const distance = ({ index }: Left) => distances.get(index) as number;
      const sorted = [...left].sort((a, b) => distance(a) - distance(b) || a.index - b.index);
      const count = mass(sorted, typicalP);
      const last = sorted[Math.min(count, sorted.length) - 1] as Left;
      const next = sorted[count];
      if (next && next.z !== last.z) near(distance(next), distance(last));
      keep(sorted.filter(({ z }, i) => i < count || (keepTies && z === last.z)));
    },
  };
  const first = ['temperature', 'topNSigma', 'topK', 'topP', 'minP', 'typicalP'] as const;
  const last = ['topNSigma', 'topK', 'typicalP', 'topP', 'minP', 'temperature'] as const;
  for (const step of order === 'temperature-first' ? first : last) steps[step]();
  return {
    indices: left.map(({ index }) => index),
    logProbs: logProbsOf(left.map(({ z }) => z)),
    margin,
  };
}

/** What χ² of so many degrees of freedom exceeds as rarely as a normal variate so many deviations. */
export function chiSquareLimit(degrees: number, deviations = 5): number {
  // Wilson and Hilferty: the cube root is nearly normal.
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + deviations * Math.sqrt(spread)) ** 3;
}
