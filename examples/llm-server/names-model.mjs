// The embedded model: letters of first names, trained at start (examples/names).
//
// What the server needs of a model is { name, vocabulary, end, mostTokens, encode, decode, logits }: `vocabulary` has the
// text of each token, `end` is the token after which a text is over, `mostTokens` is how long a text may become with its
// prompt, encode(text) gives tokens and throws a RangeError if it can't, decode(tokens) gives text, and logits(contexts)
// a Float32Array of [contexts.length, vocabulary.length], or a promise of one, that belongs to the caller.

import * as library from 'softmax-native';
import { alphabet, decode, encode, end, loadNames } from '../names/data.mjs';
import { contextsOf } from '../names/generate.mjs';
import { computeLogits, tabulate } from '../names/model.mjs';
import { train } from '../names/training.mjs';

export async function createNamesModel({ epochs, seed = 1 }) {
  const { training } = await loadNames(seed);
  const model = await train(library, training, { epochs, seed });
  const table = tabulate(model);
  return {
    name: 'names',
    vocabulary: alphabet,
    end,
    mostTokens: 4096,
    encode,
    decode,
    logits: (contexts) => computeLogits(model, contextsOf(contexts), table).logits,
  };
}
