// build/site over HTTP under a sub-path, as a static host serves it, and a headless Chromium that looks at it.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const files = fileURLToPath(new URL('../../build/site', import.meta.url));
const types: Record<string, string> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' },
  ...{ '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.png': 'image/png' },
};

/** The path that the site is built for in checks. */
export const base = '/softmax-native/';

function fileOf(path: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const file = join(files, path.slice(base.length));
  const candidates = [file, `${file}.html`, join(file, 'index.html')];
  return candidates.find((one) => existsSync(one) && statSync(one).isFile());
}

export interface Site {
  readonly browser: Browser;
  /** The address of a page, such as "numerics". */
  address(page: string): string;
  close(): Promise<void>;
}

const chromiums = ['/usr/bin/chromium', '/usr/bin/google-chrome'];

export async function openSite(): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = fileOf(decodeURIComponent(pathname));
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': types[extname(file)] ?? '' }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const executablePath = process.env.SOFTMAX_CHROMIUM ?? chromiums.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('there is no Chromium: apt-get install chromium');
  // Root has no sandbox; these pages are our own.
  const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  return {
    browser,
    address: (page) => `http://127.0.0.1:${port}${base}${page}`,
    async close() {
      await browser.close();
      server.close();
    },
  };
}

export type Theme = 'light' | 'dark';

/** A page of that width in that theme, with what its console says. `before` runs in it before all else. */
export async function openPage(
  { browser, address }: Site,
  name: string,
  width: number,
  theme: Theme,
  before: () => void = () => {},
) {
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(before);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(`${name}: ${error}`));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) errors.push(`${name}: ${message.text()}`);
  });
  page.on('requestfailed', (request) => errors.push(`${name}: ${request.url()} failed`));
  page.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${name}: ${response.url()} is ${response.status()}`);
  });
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await page.goto(address(name), { waitUntil: 'networkidle0' });
  return { page, errors };
}

/** Until WebAssembly has come, or has not. */
export const untilServed = (page: Page) =>
  page.waitForFunction(() => !document.querySelector('.served-by')?.textContent?.includes('is being loaded'));
