// The pinned bits (test/helpers/corpus-hashes.json) on the backend that the environment asks for; an engine that has no fused
// multiply-add in relaxed SIMD says so.
import { corpusHashes } from '../test/helpers/corpus.mjs';
import pinned from '../test/helpers/corpus-hashes.json' with { type: 'json' };

try {
  const api = await import('softmax-native');
  const hashes = corpusHashes(api);
  const wrong = Object.keys(pinned).filter((name) => hashes[name] !== pinned[name]);
  if (wrong.length > 0) throw new Error(`other bits: ${wrong.join(', ')}`);
  console.log(`${api.backend.kind}, ${api.backend.isa}: ${Object.keys(pinned).length} hashes as pinned`);
} catch (error) {
  if (!/this runtime has no (relaxed SIMD|fused multiply-add)$/.test(error.message)) throw error;
  console.log(error.message);
}
