// A row of a sweep by the JavaScript backend's own functions.

import { exponentials, singleExponential } from '../../src/backends/js/exp.js';
import { exponential } from '../../src/backends/js/exp-double.js';
import { logOnePlusRatio, logScaled } from '../../src/backends/js/log.js';
import { Reference } from '../../src/backends/js/reference.js';
import { scalingOf } from '../../src/backends/js/scaling.js';
import { fillPatterns, hashOf, limitsOf, type Sweep } from './rows.js';

const size = 65536;
const patterns = new Uint32Array(size);
const logits = new Float32Array(patterns.buffer);
const floats = new Float32Array(size);
const doubles = new Float64Array(size);
const reference = new Reference();
const canonicalNan = 0x7fc00000;

/** exp of a vector's worth, and of one logit, which rows have too; they must be the same. */
function floatExponentials(count: number, { name, multiplier }: Sweep): Uint32Array {
  const scaling = scalingOf(multiplier, false);
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const signed = (logits[i] as number) * scaling.sign;
    if (signed > top) top = signed;
  }
  if (name === 'exp-beside-0') top = 0;
  reference.measure(top, scaling);
  exponentials(logits, 0, count, scaling, reference, floats, 0);
  const bits = new Uint32Array(floats.buffer, 0, count);
  for (let i = 0; i < count; i++) {
    const alone = singleExponential(logits[i] as number, scaling, reference);
    const result = floats[i] as number;
    if (alone !== result && !(Number.isNaN(alone) && Number.isNaN(result)))
      throw new Error(
        `${name}, pattern ${patterns[i]}: ${result} among others, ${alone} alone, in JavaScript`,
      );
    if (Number.isNaN(result)) bits[i] = canonicalNan;
  }
  return bits;
}

const functions = {
  'exp-double': exponential,
  log: (x: number) => logScaled(x, 0),
  'log-one-plus': logOnePlusRatio,
};

function doubleResults(count: number, name: keyof typeof functions): Uint32Array {
  const [first, last] = limitsOf[name];
  const results = functions[name];
  const bits = new Uint32Array(doubles.buffer, 0, 2 * count);
  for (let i = 0; i < count; i++) {
    const pattern = patterns[i] as number;
    const result = results(pattern >= first && pattern <= last ? (logits[i] as number) : 1);
    doubles[i] = result;
    if (!Number.isNaN(result)) continue;
    bits[2 * i] = 0;
    bits[2 * i + 1] = 0x7ff80000;
  }
  return bits;
}

/** The bits of a row's results. */
export function rowResults(row: number, sweep: Sweep): Uint32Array {
  const count = fillPatterns(row, sweep.every, patterns);
  if (sweep.name === 'exp' || sweep.name === 'exp-beside-0') return floatExponentials(count, sweep);
  return doubleResults(count, sweep.name);
}

export function rowHash(row: number, sweep: Sweep): number {
  const bits = rowResults(row, sweep);
  return hashOf(bits, bits.length);
}
