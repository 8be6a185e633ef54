// Writes test/helpers/corpus-hashes.json from the JavaScript backend. Only for a release that means to change bits.
import { writeFileSync } from 'node:fs';
import * as api from 'softmax-native/js';
import { corpusHashes } from '../test/helpers/corpus.mjs';

const file = new URL('../test/helpers/corpus-hashes.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(corpusHashes(api), undefined, 2)}\n`);
