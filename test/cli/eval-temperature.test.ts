// softmax-native eval --fit-temperature and --diagram: the temperature with the smallest loss, and what is drawn.

import { afterAll, describe, expect, it } from 'vitest';
import { type Expected, labelFile, reference } from '../helpers/evaluation.js';
import { cli, cliRuns, dataBytes, dictText, Folder, headerBytes, type Values } from '../helpers/npy.js';
import { Random } from '../helpers/random.js';

const folder = new Folder();
const { at } = folder;
afterAll(() => folder.remove());

const random = new Random(20261201);
const file = (name: string, descr: string, shape: readonly number[], values: Values) =>
  folder.write(name, headerBytes(dictText(descr, shape)), dataBytes(descr, values));

interface Fitted extends Expected {
  readonly temperature: number;
  readonly passes: number;
}

interface Outcome {
  readonly before: Expected;
  readonly after: Fitted;
}

/** Before and after, for each of these. */
function fitted(...runs: (readonly string[])[]): [Outcome, ...Outcome[]] {
  const words = runs.map((run) => ['eval', ...run, '--fit-temperature', '--json']);
  return cliRuns(words).map(({ status, stdout, stderr }) => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { fitted: after, ...before } = JSON.parse(stdout);
    return { before, after };
  }) as [Outcome, ...Outcome[]];
}

/** Labels drawn from softmax(logits), so that the temperature that fits is about 1. */
function drawn(rows: number, classes: number, spread: number) {
  const logits = Float64Array.from(random.normals(rows * classes, spread));
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const weights = Array.from(logits.subarray(row * classes, (row + 1) * classes), Math.exp);
    let rest = random.uniform(0, 1) * weights.reduce((a, b) => a + b, 0);
    const label = weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
    return Math.max(0, label);
  });
  return { logits, labels };
}

/** The smallest loss by trisection of log T: slow, and without a derivative. */
function trisected(logits: Float64Array, classes: number, labels: Int32Array): number {
  const loss = (u: number) => reference(logits, classes, labels, { temperature: Math.exp(u) }).crossEntropy;
  let [low, high] = [-7, 7];
  while (high - low > 1e-6) {
    const third = (high - low) / 3;
    if (loss(low + third) < loss(high - third)) high -= third;
    else low += third;
  }
  return Math.exp((low + high) / 2);
}

describe('--fit-temperature', () => {
  it('by hand: three of four right at odds of e²', () => {
    const rows = Array.from({ length: 4 }, () => [2, 0]);
    file('odds.npy', '<f4', [4, 2], Float32Array.from(rows.flat()));
    labelFile(folder, 'odds-labels.npy', '|u1', Uint8Array.of(0, 0, 1, 0));
    const [{ after }] = fitted([at('odds.npy'), at('odds-labels.npy')]);
    // p = 3/4 fits: e^(2 / T) = 3.
    expect(after.temperature / (2 / Math.log(3))).toBeCloseTo(1, 6);
    expect(after.crossEntropy).toBeCloseTo(0.5623351446188083, 12);
    expect(after.ece).toBeLessThan(1e-6);
  });

  it('finds what a search without derivatives finds, and the figures there', () => {
    const { logits, labels } = drawn(400, 5, 2);
    const wide = logits.map((z) => z * 1.7);
    file('wide.npy', '<f8', [400, 5], wide);
    labelFile(folder, 'wide-labels.npy', '<i4', labels);
    const [{ before, after }] = fitted([at('wide.npy'), at('wide-labels.npy')]);
    // Where the loss is flat, a search sees no less than the root of its rounding.
    expect(Math.abs(after.temperature / trisected(wide, 5, labels) - 1)).toBeLessThan(1e-5);
    expect(after.temperature).toBeGreaterThan(1.3);
    expect(before).toMatchObject({ rows: 400, temperature: 1 });
    const expected = reference(wide, 5, labels, { temperature: after.temperature });
    expect(after.crossEntropy).toBeCloseTo(expected.crossEntropy, 12);
    expect(after.ece).toBeCloseTo(expected.ece, 12);
    expect(after.crossEntropy).toBeLessThan(before.crossEntropy);
  });

  it('of logits times a factor, it is times that factor, in few passes', () => {
    const { logits, labels } = drawn(500, 20, 2.5);
    const factors = [1, 3, 0.01, 1000, 1e-9, 1e9];
    const y = labelFile(folder, 'factor-labels.npy', '<i4', labels);
    const found = fitted(
      ...factors.map((factor) => [
        file(
          `factor${factor}.npy`,
          '<f8',
          [500, 20],
          logits.map((z) => z * factor),
        ),
        y,
      ]),
    );
    const [first] = found;
    expect(Math.abs(first.after.temperature - 1)).toBeLessThan(0.15);
    found.forEach(({ after }, i) => {
      const factor = factors[i] as number;
      expect(Math.abs(after.temperature / (factor * first.after.temperature) - 1), `${factor}`).toBeLessThan(
        2e-6,
      );
      expect(after.crossEntropy / first.after.crossEntropy).toBeCloseTo(1, 10);
      expect(after.passes, `${factor}`).toBeLessThanOrEqual(6 + Math.abs(Math.log10(factor)));
    });
  });

  it.each([
    ['one wrong by little', [5, 0, 5, 0, 5, 0, 0, 1e-3], [0, 0, 0, 0], 1e-6],
    ['nearly chance', [1, 0, 1, 0, 1.001, 0, 0, 1], [0, 1, 0, 0], 1e-6],
    ['masked with -1e9', [2, 0, -1e9, 0, 1, -1e9, 3, 1, -1e9], [0, 0, 0], 1e-6],
    ['masked with -Infinity', [2, 0, Number.NEGATIVE_INFINITY, 0, 1, Number.NEGATIVE_INFINITY], [0, 0], 1e-6],
    ['one large among small ones', [9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0], [0, 0, 1], 1e-6],
  ])('%s: the slope there is 0', (name, logits, labels) => {
    const classes = logits.length / labels.length;
    const x = file(`${name}.npy`, '<f8', [labels.length, classes], Float64Array.from(logits));
    const y = labelFile(folder, `${name}-labels.npy`, '<i4', Int32Array.from(labels));
    const [{ after }] = fitted([x, y]);
    const lossAt = (temperature: number) =>
      reference(logits, classes, Int32Array.from(labels), { temperature }).crossEntropy;
    const least = lossAt(after.temperature);
    for (const factor of [0.99, 1.01])
      expect(lossAt(after.temperature * factor)).toBeGreaterThanOrEqual(least);
    expect(after.passes).toBeLessThan(30);
  });

  it('prints both columns', () => {
    const { status, stdout } = cli(['eval', at('odds.npy'), at('odds-labels.npy'), '--fit-temperature']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^temperature +1 +1\.82048$/m);
    expect(stdout).toMatch(/^cross-entropy +0\.626928 +0\.562335$/m);
    expect(stdout).toMatch(/^rows +4\nignored +0\nclasses +2$/m);
    expect(stdout).toMatch(/^passes +\d$/m);
  });

  it.each([
    [
      [3, 1, 2, 2],
      [0, 1],
      'no temperature fits: in each row no logit is larger than that of the label: the loss becomes smaller and smaller ' +
        'towards temperature 0',
    ],
    [
      [3, 1, 1, 2],
      [1, 0],
      "no temperature fits: the labels' logits are on average no larger than their rows' means: the loss becomes smaller and " +
        'smaller towards temperature Infinity',
    ],
    [
      [3, 1, 1, Number.NEGATIVE_INFINITY],
      [1, 1],
      'no temperature fits: the logit of the label is -Infinity in row 1: the loss is infinite at every temperature',
    ],
  ])('no optimum: %j, %j', (logits, labels, message) => {
    const x = file('none.npy', '<f4', [2, 2], Float32Array.from(logits));
    const y = labelFile(folder, 'none-labels.npy', '<i4', Int32Array.from(labels));
    expect(cli(['eval', x, y, '--fit-temperature'])).toEqual({
      status: 1,
      stdout: '',
      stderr: `softmax-native: ${x}: ${message}\n`,
    });
    // Without it, these are figures as any others.
    expect(cli(['eval', x, y]).status).toBe(0);
  });
});

describe('--diagram', () => {
  interface Bin {
    readonly from: number;
    readonly to: number;
    readonly count: number;
    readonly accuracy: number | null;
    readonly confidence: number | null;
  }

  const { logits, labels } = drawn(3000, 6, 3);
  const x = file(
    'a<b>&c.npy',
    '<f8',
    [3000, 6],
    logits.map((z) => z * 1.5),
  );
  const y = labelFile(folder, 'diagram-labels.npy', '<i4', labels);
  const round = (value: number) => Number(value.toPrecision(4));
  const told = ({ from, to, count, accuracy, confidence }: Bin) =>
    `confidence ${round(from)} to ${round(to)}: ${count} row${count === 1 ? '' : 's'}, accuracy ${round(accuracy as number)}, ` +
    `mean confidence ${round(confidence as number)}, gap ${round((accuracy as number) - (confidence as number))}`;

  it('has the numbers of the bins, in words and as lengths', () => {
    const { status, stdout } = cli(['eval', x, y, '--json', '--diagram', at('one.svg')]);
    expect(status).toBe(0);
    const { ece, mce, accuracy, bins } = JSON.parse(stdout) as Expected & { bins: Bin[] };
    const svg = String(folder.read('one.svg'));
    const full = bins.filter(({ count }) => count > 0);
    expect(svg).toContain('<title id="title">Reliability diagram of a&lt;b&gt;&amp;c.npy</title>');
    expect(svg.match(/<g><title>[^<]*/g)).toEqual(full.map((bin) => `<g><title>${told(bin)}`));
    const [, description = ''] = /<desc id="description">([^<]*)<\/desc>/.exec(svg) ?? [];
    const [summary, ...lines] = description.split('\n');
    expect(summary).toMatch(
      new RegExp(
        `^At temperature 1, over 3000 rows: accuracy ${round(accuracy)}, mean confidence 0\\.\\d+, ` +
          `ECE ${round(ece)}, MCE ${round(mce)}\\.$`,
      ),
    );
    expect(lines).toEqual(full.map((bin) => `${told(bin)}.`));
    // The plot is 370 high: bars are accuracy, and from it to the mean confidence.
    const heights = (name: string) =>
      [...svg.matchAll(new RegExp(`h[\\d.]+v([\\d.]+)h-[\\d.]+z" class="${name}"`, 'g'))].map((found) =>
        Number(found[1]),
      );
    expect(heights('accuracy').slice(0, -1)).toEqual(
      full.map((bin) => Math.round(3700 * (bin.accuracy as number)) / 10),
    );
    const gaps = full.map((bin) => Math.abs((bin.accuracy as number) - (bin.confidence as number)));
    heights('gap')
      .slice(0, -1)
      .forEach((height, i) => {
        expect(Math.abs(height - 370 * (gaps[i] as number))).toBeLessThan(0.051);
      });
    const most = Math.max(...full.map(({ count }) => count));
    heights('count').forEach((height, i) => {
      expect(Math.abs(height - (60 * (full[i]?.count as number)) / most)).toBeLessThan(0.051);
    });
    expect(heights('count').length).toBe(full.length);
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    // Self-contained, and nothing in it is no number.
    expect(svg).not.toMatch(/href|url\(|<script|NaN|undefined|Infinity/);
  });

  it('has a panel for each temperature', () => {
    const words = ['eval', x, y, '--fit-temperature', '--diagram', at('two.svg'), '--bins', '100'];
    expect(cli(words)).toMatchObject({ status: 0, stderr: '' });
    const svg = String(folder.read('two.svg'));
    expect(svg.match(/class="head">temperature 1(?:\.\d+)?</g)?.length).toBe(2);
    expect(svg.match(/^At temperature|>At temperature/gm)?.length).toBe(2);
    expect(svg).toContain('viewBox="0 0 900 ');
    expect(svg.match(/<g>/g)?.length).toBeGreaterThan(100);
  });
});
