// The tables of "Every input" in docs/numerics.md.

import { type Figures, promisedOfHalves, sweeps } from './figures.js';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const grouped = (count: number) => count.toLocaleString('en');
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The shortest decimal that is this float32, and its bits. */
function floatOf(pattern: number): string {
  bits[0] = pattern;
  const value = float[0] as number;
  let digits = 1;
  while (Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return `${Number(value.toPrecision(digits))} (0x${pattern.toString(16).padStart(8, '0')})`;
}

function sweepTable({ sweeps: found }: Figures): string {
  const rows = sweeps.flatMap(({ label, promised }) => {
    const figures = found[label];
    if (!figures) return [];
    const { inputs, error, pattern, results } = figures;
    const cells = [
      label,
      grouped(inputs),
      error.toFixed(4),
      String(promised),
      floatOf(pattern),
      `\`${results}\``,
    ];
    return line(cells);
  });
  const head = ['function', 'arguments', 'worst error, ULP', 'promised', 'at x =', 'hash of all results'];
  return [line(head), '|---|---:|---:|---:|---|---|', ...rows].join('\n');
}

/** Each step: which arguments it has, which count by fma and by double arithmetic, and which by JavaScript. */
const stepRows = [
  ['16 x log₂e + shift, rounded to an integer', 'arguments', 'rounding', 'roundingJs'],
  ['x − n · ln 2 / 16, the high part', 'arguments', 'high', 'highInexact'],
  ['… and the low part: r', 'arguments', 'low', 'lowJs'],
  ['c₃ r + c₂', 'series', 'series', 'series'],
  ['… r² + r = q', 'series', 'square', 'square'],
  ['**s + s q**, of all steps, for all 16 s of the table', 'series', 'result', 'result'],
  ['what the product of logit and multiplier misses', 'products', 'error', 'error'],
  ['… and the multiplier’s second part', 'products', 'rest', 'rest'],
] as const;

function stepTable({ steps }: Figures): string {
  const rows = stepRows.flatMap(([name, part, scalar, js]) => {
    const counts = steps?.[part];
    if (!counts) return [];
    return line([name, grouped(counts.inputs as number), String(counts[scalar]), String(counts[js])]);
  });
  const head = ['step', 'arguments', 'scalar kernels differ', 'JavaScript differs'];
  return [line(head), '|---|---:|---:|---:|', ...rows].join('\n');
}

function halfTable({ halves }: Figures): string {
  const worst = halves?.worst ?? {};
  const calls = Object.keys(worst).flatMap((key) => (key.startsWith('float16 ') ? [key.slice(8)] : []));
  const rows = calls.map((call) => {
    const errors = ['float16', 'bfloat16'].map((dtype) =>
      (worst[`${dtype} ${call}`]?.error ?? Number.NaN).toFixed(4),
    );
    const where = worst[`float16 ${call}`]?.where.replace(/, \[\d+\]: .*/, '') ?? '';
    return line([call, ...errors, String(promisedOfHalves(`float16 ${call}`)), where]);
  });
  const head = ['function', 'float16', 'bfloat16', 'promised', 'the worst of float16'];
  return [line(head), '|---|---:|---:|---:|---|', ...rows].join('\n');
}

export function everyInputParts(figures: Figures): Record<string, string> {
  return {
    everyBackend: figures.backends.join(', '),
    everyFloat: sweepTable(figures),
    everyStep: stepTable(figures),
    everyHalf: halfTable(figures),
    everyHalfCount: grouped(figures.halves?.compared ?? 0),
  };
}
