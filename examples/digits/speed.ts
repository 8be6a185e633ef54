import { CLASSES, type Image } from './data.js';
import { type CrossEntropy, computeLogits } from './model.js';

const WARM_UP = 100;
const MEASURED = 300;

/** Each contender's median time of a call for that batch, in microseconds: alone, after its code is compiled. */
export function timeCalls(
  contenders: Record<string, CrossEntropy>,
  batch: Image[],
  weights: Float32Array,
): [name: string, microseconds: number][] {
  const logits = computeLogits(batch, weights);
  const labels = Uint8Array.from(batch, ({ label }) => label);
  return Object.entries(contenders).map(([name, crossEntropy]) => {
    const times: number[] = [];
    const start = performance.now();
    for (let now = start; now < start + WARM_UP + MEASURED; now = performance.now()) {
      const fresh = logits.slice();
      const before = performance.now();
      crossEntropy(fresh, labels, { shape: [batch.length, CLASSES], grad: fresh });
      const time = performance.now() - before;
      if (now >= start + WARM_UP) times.push(time);
    }
    times.sort((a, b) => a - b);
    return [name, 1000 * (times[Math.floor(times.length / 2)] ?? Number.NaN)];
  });
}
