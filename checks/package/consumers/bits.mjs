// The corpus of pinned bits on an entry point, as JSON: node bits.mjs ENTRY [--no-relaxed-simd]
import process from 'node:process';
import { corpusHashes } from './corpus.mjs';
import pinned from './corpus-hashes.json' with { type: 'json' };

const [, , entry, option] = process.argv;
if (option === '--no-relaxed-simd') WebAssembly.validate = () => false;
const api = await import(entry);
const hashes = corpusHashes(api);
const wrong = Object.keys(pinned).filter((name) => hashes[name] !== pinned[name]);
const { kind, isa } = api.backend;
console.log(JSON.stringify({ kind, isa, wrong, hashes: Object.keys(hashes).length }));
