// What the server has for the pages: the built package, the corpus, and their own code.
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

const root = new URL('../..', import.meta.url);
const { exports: entries } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const types = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const served = /^\/(dist|checks\/browser\/pages|test\/helpers)\/[\w/-]+\.(mjs|wasm)$/;
const page =
  '<!doctype html><meta charset="utf-8"><script type="module" src="/checks/browser/pages/page.mjs"></script>';

/** A file of dist: what bundlers for browsers take of an entry point. */
const fileOf = (entry) => entries[entry].import.default.slice(1);

/** With the Content-Security-Policy that the query asks for. */
export function answer(path, query) {
  if (path.startsWith('/softmax-native/'))
    return { status: 302, headers: { location: fileOf(path.replace('/softmax-native', '.')) } };
  const policy = query.get('policy');
  const headers = policy ? { 'content-security-policy': policy } : {};
  if (path === '/page') return { type: 'text/html', headers, body: page };
  if (!served.test(path)) return undefined;
  const body = readFileSync(new URL(`.${path}`, root));
  const type = types[extname(path)];
  if (path !== '/test/helpers/corpus.mjs') return { type, headers, body };
  // Workers have no import maps.
  return { type, headers, body: String(body).replace("'node:crypto'", "'/checks/browser/pages/crypto.mjs'") };
}
