// npm run check site: the built pages in a headless Chromium. Each line is a check; the exit code is 1 when one fails.

import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'puppeteer-core';
import { checkFigures } from './check-figures.js';
import { openPage, openSite, type Site, type Theme, untilServed } from './serve.js';

let passed = 0;
let failed = 0;

/** Passes unless `look` throws or rejects. */
export async function check(name: string, look: () => Promise<void>): Promise<void> {
  try {
    await look();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${String((error as Error).message).replace(/^/gm, '        ')}`);
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe has to say against a page, a line for each place. */
async function findViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target}: ${failureSummary}`),
    );
  });
}

/** Pages of every kind. */
const pages = ['', 'playground', 'guide', 'numerics', 'performance', 'api/', 'api/functions/sample'];
const withAxe = ['', 'playground', 'guide', 'api/functions/sample'];

async function checkPages(site: Site, width: number, theme: Theme): Promise<void> {
  for (const name of pages)
    await check(`${name || 'the first page'}: ${width} px, ${theme}`, async () => {
      const { page, errors } = await openPage(site, name, width, theme);
      if (name === 'playground') await untilServed(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      const violations = withAxe.includes(name) ? await findViolations(page) : [];
      await page.close();
      deepStrictEqual({ errors, wide, violations }, { errors: [], wide: 0, violations: [] });
    });
}

const site = await openSite();
try {
  await checkPages(site, 1280, 'light');
  await checkPages(site, 360, 'dark');
  await check('playground: 320 px', async () => {
    const { page, errors } = await openPage(site, 'playground', 320, 'light');
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('.figure *')]
        .filter((one) => one.closest('.numbers, .visually-hidden, svg') === null)
        .filter((one) => one.getBoundingClientRect().right > window.innerWidth)
        .map((one) => one.outerHTML.slice(0, 100)),
    );
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await page.close();
    deepStrictEqual({ errors, wide, cut }, { errors: [], wide: 0, cut: [] });
  });
  await checkFigures(site, check);
} finally {
  await site.close();
}
console.log(`site: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
