// The files that pages need, on a free port of this machine alone, and where pages report.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../..', import.meta.url);
const { exports: entries } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const types = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const served = /^\/(dist|checks\/browser\/pages|test\/helpers)\/[\w/-]+\.(mjs|wasm)$/;
const page =
  '<!doctype html><meta charset="utf-8"><script type="module" src="/checks/browser/pages/page.mjs"></script>';

/** What bundlers for browsers take of an entry point. */
const pathOf = (entry) => {
  const { browser, default: other } = entries[entry].import;
  return (browser ?? other).slice(1);
};

function answerTo(path) {
  if (path === '/page') return { type: 'text/html', body: page };
  if (!served.test(path)) return undefined;
  const body = readFileSync(fileURLToPath(new URL(`.${path}`, root)));
  // Workers have no import maps.
  if (path === '/test/helpers/corpus.mjs')
    return {
      type: types['.mjs'],
      body: String(body).replace("'node:crypto'", "'/checks/browser/pages/crypto.mjs'"),
    };
  return { type: types[extname(path)], body };
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** `report(result)` is called for each page, and returns the address of the next one, or undefined. */
export async function serve(report) {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    if (pathname === '/report') {
      const next = report(JSON.parse(await bodyOf(request)));
      response.end(JSON.stringify({ next }));
      return;
    }
    if (pathname.startsWith('/softmax-native/')) {
      const location = pathOf(pathname.replace('/softmax-native', '.'));
      response.writeHead(302, { location }).end();
      return;
    }
    const answer = answerTo(pathname);
    if (answer === undefined) {
      response.writeHead(404).end();
      return;
    }
    const policy = searchParams.get('policy');
    response.writeHead(200, {
      'content-type': answer.type,
      ...(policy && { 'content-security-policy': policy }),
    });
    response.end(answer.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
