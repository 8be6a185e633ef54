// The playground's figures: what they show is what the library computes in Node, on whatever backend serves there.

import { deepStrictEqual, match } from 'node:assert';
import { createRequire } from 'node:module';
import type { ElementHandle, Page } from 'puppeteer-core';
import type * as api from '../../src/api/index.js';
import { computeCutOffs } from '../figures/cut-offs.js';
import { formatNumber } from '../figures/format.js';
import distribution from '../figures/tokens.json' with { type: 'json' };
import { computeUlpErrors } from '../figures/ulp.js';
import { openPage, type Site, untilServed } from './serve.js';

/** As it is published, with its own types. */
const library: typeof api = createRequire(import.meta.url)('../../dist/index.cjs');

type Check = (name: string, look: () => Promise<void>) => Promise<void>;

const figure = (name: string) => `figure[aria-label="${name}"]`;
const bars = figure('Logits and probabilities');
const cutOffs = figure('Cut-offs');
const loss = figure('The loss of two classes');
const overflow = figure('The naive formula and the stable one');
const ulp = figure('Errors in ULP');

const textsOf = (page: Page, selector: string) =>
  page.$$eval(selector, (found) => found.map((one) => one.textContent?.trim().replace(/\s+/g, ' ')));

/** A control by its name, as a screen reader finds it. */
async function control(page: Page, within: string, name: string): Promise<ElementHandle<Element>> {
  const found = await page.$(`${within} ::-p-aria([name="${name}"])`);
  if (found === null) throw new Error(`${within} has no control by the name ${name}`);
  return found;
}

async function type(page: Page, within: string, name: string, value: number | string): Promise<void> {
  const input = await control(page, within, name);
  await input.evaluate((one) => (one as HTMLInputElement).select());
  await input.type(String(value));
}

const softmaxOf = (logits: readonly number[], temperature = 1) =>
  [...library.softmax(Float32Array.from(logits), { temperature })].map((p) => formatNumber(p));

const lossReadings = (z0: number, z1: number, target: number) => {
  const logits = Float32Array.of(z0, z1);
  const { loss, grad } = library.crossEntropy(logits, Int32Array.of(target), { grad: true });
  const pair = (values: Float32Array) => `(${[...values].map((one) => formatNumber(one)).join(', ')})`;
  return [formatNumber(loss), pair(library.softmax(logits)), pair(grad)];
};

async function checkBars(page: Page, check: Check): Promise<void> {
  await check('bars: arrow keys move a logit', async () => {
    await (await control(page, bars, 'Logit of cat')).focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
    deepStrictEqual(await textsOf(page, `${bars} .bar-value`), softmaxOf([2.3, 1, 0.1, -1.5]));
  });
  await check('bars: what is typed, with a temperature', async () => {
    for (const [name, value] of Object.entries({ cat: -2, dog: 3.5, fox: 0.25, owl: 1 }))
      await type(page, bars, `Logit of ${name}, as a number`, value);
    await type(page, bars, 'Temperature, as a number', 0.7);
    deepStrictEqual(await textsOf(page, `${bars} .bar-value`), softmaxOf([-2, 3.5, 0.25, 1], 0.7));
  });
  await check('bars: a slider is dragged', async () => {
    const box = await (await control(page, bars, 'Logit of cat')).boundingBox();
    if (box === null) throw new Error('the slider is not drawn');
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + 0.4 * box.width, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width, middle, { steps: 3 });
    await page.mouse.up();
    deepStrictEqual(await textsOf(page, `${bars} .bar-value`), softmaxOf([10, 3.5, 0.25, 1], 0.7));
  });
  await check('bars: a screen reader is told, once the hand rests', async () => {
    const said = `${bars} [aria-live]`;
    await page.waitForFunction(
      (one, p) => document.querySelector(one)?.textContent?.includes(`cat ${p}`),
      { timeout: 5000 },
      said,
      softmaxOf([10, 3.5, 0.25, 1], 0.7)[0] as string,
    );
  });
}

async function checkCutOffs(page: Page, check: Check): Promise<void> {
  await check('cut-offs: probabilities, what is kept, draws', async () => {
    const settings = { temperature: 0.8, topK: 12, topP: 0.9, minP: 0.05, seed: 7, count: 2000 };
    const names = { topK: 'topK (0: all)', count: 'draws' };
    for (const [name, value] of Object.entries(settings))
      await type(page, cutOffs, `${{ ...names }[name as 'topK'] ?? name}, as a number`, value);
    const { rows, afterTopK, afterTopP, kept } = computeCutOffs(library, distribution, settings);
    const expected = rows.slice(0, 14).map((row) => {
      const numbers = [formatNumber(row.probability), formatNumber(row.renormalised), row.draws];
      return [`${row.token}${row.isKept ? '' : ' (dropped)'}`, ...numbers].join(' ');
    });
    const shown = await page.$$eval(`${cutOffs} tbody tr`, (lines) =>
      lines.map((line) =>
        [...line.children]
          .slice(0, 4)
          .map((cell) => cell.textContent?.trim())
          .join(' '),
      ),
    );
    deepStrictEqual(shown.slice(0, 14), expected);
    deepStrictEqual(afterTopK, 12);
    const [caption = ''] = await textsOf(page, `${cutOffs} figcaption`);
    match(caption ?? '', new RegExp(`topK leaves 12, topP leaves ${afterTopP}, minP leaves ${kept}\\.`));
    const { tokens } = library.sample(Float32Array.from(distribution.logits), settings);
    deepStrictEqual(
      tokens.filter((token) => distribution.tokens[token] === 'sure').length,
      rows.find(({ token }) => token === 'sure')?.draws,
    );
  });
}

async function checkOthers(page: Page, check: Check): Promise<void> {
  await check('loss: by number, by key, by the other target', async () => {
    await type(page, loss, 'Logit z₁, as a number', 3);
    await (await control(page, loss, 'Logit z₀')).focus();
    await page.keyboard.press('ArrowLeft');
    deepStrictEqual(await textsOf(page, `${loss} dd`), lossReadings(-1.1, 3, 0));
    await (await control(page, loss, 'class 1')).click();
    deepStrictEqual(await textsOf(page, `${loss} dd`), lossReadings(-1.1, 3, 1));
  });
  await check('loss: the point is dragged', async () => {
    const plot = await (await page.$(`${loss} svg`))?.boundingBox();
    const point = await (await page.$(`${loss} .handle-point`))?.boundingBox();
    if (!plot || !point) throw new Error('the plot is not drawn');
    await page.mouse.move(point.x + point.width / 2, point.y + point.height / 2);
    await page.mouse.down();
    await page.mouse.move(plot.x + 0.7 * plot.width, plot.y + 0.9 * plot.height, { steps: 3 });
    await page.mouse.up();
    deepStrictEqual(await textsOf(page, `${loss} dd`), lossReadings(2, -4, 1));
  });
  await check('overflow: NaN beside the right numbers; what is no number', async () => {
    await type(page, overflow, 'Logits', '1000, 1002, 1001');
    deepStrictEqual(await textsOf(page, `${overflow} tbody td:nth-child(3)`), ['NaN', 'NaN', 'NaN']);
    deepStrictEqual(await textsOf(page, `${overflow} tbody td:nth-child(4)`), softmaxOf([1000, 1002, 1001]));
    await type(page, overflow, 'Logits', '1, two');
    deepStrictEqual(await textsOf(page, `${overflow} figcaption`), ['“two” is not a number.']);
  });
  await check('errors in ULP', async () => {
    await type(page, ulp, 'max, as a number', 3.3);
    const { worstNaive, worstStable } = computeUlpErrors(library, 3.3, 2000);
    deepStrictEqual(await textsOf(page, `${ulp} figcaption`), [
      `Largest error: ${formatNumber(worstNaive, 2)} ULP step by step in float32, ` +
        `${formatNumber(worstStable, 2)} ULP by softmax-native.`,
    ]);
  });
}

export async function checkFigures(site: Site, check: Check): Promise<void> {
  const { page, errors } = await openPage(site, 'playground', 1280, 'light');
  await check('playground: WebAssembly serves', async () => {
    await untilServed(page);
    deepStrictEqual(await textsOf(page, '.served-by strong'), ['WebAssembly']);
  });
  await checkBars(page, check);
  await checkCutOffs(page, check);
  await checkOthers(page, check);
  await check('playground: nothing on the console', async () => deepStrictEqual(errors, []));
  await page.close();

  await check('playground without WebAssembly: JavaScript, the reason, the same numbers', async () => {
    const { page: plain } = await openPage(site, 'playground', 1280, 'light', () => {
      Reflect.deleteProperty(globalThis, 'WebAssembly');
    });
    await untilServed(plain);
    const [text = ''] = await textsOf(plain, '.served-by');
    match(
      text ?? '',
      /^JavaScript computes every number on this page, here in your browser: .*this runtime has no WebAssembly\.$/,
    );
    deepStrictEqual(await textsOf(plain, `${bars} .bar-value`), softmaxOf([2, 1, 0.1, -1.5]));
    await plain.close();
  });
}
