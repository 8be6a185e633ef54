// The page of jobs and the metrics as a browser shows them, of a scoring with a dead job.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import puppeteer from 'puppeteer-core';
import { fileOf, logitsOf, npyOf, run, start, until, withRedis, write } from './tools.mjs';

function find() {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {}
  }
}

/** undefined where there is none and none can be installed. */
function chromium() {
  const found = find();
  if (found !== undefined || process.getuid() !== 0) return found;
  try {
    console.log('batch-scoring: installs from Debian: chromium');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['-qq', 'update'], { env, stdio: 'ignore' });
    execFileSync('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', 'chromium'], {
      env,
      stdio: 'ignore',
    });
  } catch {}
  return find();
}

async function checkPages(page, address) {
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const textOf = () => page.evaluate(() => document.body.innerText);
  const shows = async (pattern) => {
    await until(async () => pattern.test(await textOf()), `the page shows ${pattern}`).catch(
      async (error) => {
        throw new Error(`${error.message}: ${await textOf()}`);
      },
    );
  };
  await page.goto(address);
  await shows(/softmax-native-\d/);
  const href = await page.$$eval('a', (links) => links.map((link) => link.href));
  const queue = href.find((link) => link.includes('/board/queue/'));
  await page.goto(`${queue.split('?')[0]}?status=failed`);
  await shows(/rows 200[\s\S]*row 234: tokenLogProbs/);
  await page.goto(`${queue.split('?')[0]}?status=completed`);
  await shows(/rows 900/);
  await page.goto(`${address}/metrics`);
  const metrics = await textOf();
  for (const pattern of [
    /^softmax_scoring_rows_total 900$/m,
    /^softmax_scoring_failed_total 1$/m,
    /^softmax_scoring_retries_total 0$/m,
    /^softmax_scoring_job_seconds_count\{part="compute"\} 9$/m,
    /^softmax_scoring_job_seconds_sum\{part="write"\} 0\.\d+$/m,
    /^bullmq_job_count\{.*state="failed".*\} 1$/m,
  ]) {
    assert.match(metrics, pattern);
  }
  assert.deepEqual(errors, []);
}

export async function checkBrowser() {
  const executablePath = chromium();
  if (executablePath === undefined) {
    console.log('batch-scoring: SKIPPED: there is no chromium for the page of jobs');
    return;
  }
  const targets = new Int32Array(1000);
  targets[234] = -1;
  const files = [write(npyOf(logitsOf(8000), [1000, 8])), '--targets', write(npyOf(targets, [1000]))];
  const options = ['--operation', 'token-log-probs', '--rows-per-job', '100', '--out', fileOf()];
  await withRedis(async ({ env }) => {
    const worker = start(['worker', '--workers', '2', '--port', '0'], { env });
    assert.equal((await run(['producer', ...files, ...options], { env })).code, 1);
    await until(() => /^http.*\/board/m.test(worker.output()), 'the worker says where its page is');
    const [, address] = /^(http.*?)\/board/m.exec(worker.output());
    const metricsOf = async () => (await fetch(`${address}/metrics`)).text();
    await until(async () => /rows_total 900\n/.test(await metricsOf()), 'both workers have reported');
    const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      await checkPages(await browser.newPage(), address);
    } finally {
      await browser.close();
    }
    worker.child.kill('SIGTERM');
    await worker.ended;
  });
  console.log('batch-scoring: a browser shows jobs done and dead, and the metrics');
}
