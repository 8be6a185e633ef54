// In a page: what the two entry points for browsers serve, reported to the server that the page came from.
import * as js from 'softmax-native/js';
import * as wasm from 'softmax-native/wasm';
import { hashOf } from './report.cjs';

const found = [wasm, js].map((api) => ({ kind: api.backend.kind, hash: hashOf(api) }));
fetch('/report', { method: 'POST', body: JSON.stringify({ found }) })
  .then((response) => response.json())
  .then(({ next }) => next && location.assign(next));
