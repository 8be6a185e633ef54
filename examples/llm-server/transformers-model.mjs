// A causal language model in a folder, as transformers.js reads it: config.json, tokenizer.json, onnx/model.onnx (ONNX
// Runtime). Each step computes the whole context anew: the least code, not the fastest.

import { basename, resolve } from 'node:path';

export async function createTransformersModel(folder) {
  // Not a dependency of this example, which is a tenth of its size.
  const { AutoModelForCausalLM, AutoTokenizer, Tensor } = await import('@huggingface/transformers');
  const options = { local_files_only: true, dtype: 'fp32', device: 'cpu' };
  const tokenizer = await AutoTokenizer.from_pretrained(resolve(folder), options);
  const model = await AutoModelForCausalLM.from_pretrained(resolve(folder), options);
  const [end] = [model.config.eos_token_id].flat();
  const { vocab_size: classes, max_position_embeddings, n_positions } = model.config;
  const mostTokens = max_position_embeddings ?? n_positions ?? 1024;
  const plainly = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
  const decode = (tokens) => (tokens.length > 0 ? tokenizer.decode(tokens, plainly) : '');

  /** Contexts are padded on the right, where no earlier token sees it, and each gives the logits of its last token. */
  async function logits(contexts) {
    const some = contexts.map((context) => (context.length > 0 ? context : [end]));
    const length = Math.max(...some.map((context) => context.length));
    const ids = new BigInt64Array(some.length * length);
    const mask = new BigInt64Array(ids.length);
    for (const [row, context] of some.entries()) {
      ids.set(context.map(BigInt), row * length);
      mask.fill(1n, row * length, row * length + context.length);
    }
    const dims = [some.length, length];
    const outputs = await model({
      input_ids: new Tensor('int64', ids, dims),
      attention_mask: new Tensor('int64', mask, dims),
    });
    const last = new Float32Array(some.length * classes);
    for (const [row, context] of some.entries()) {
      const first = (row * length + context.length - 1) * classes;
      last.set(outputs.logits.data.subarray(first, first + classes), row * classes);
    }
    return last;
  }

  return {
    name: basename(resolve(folder)),
    vocabulary: Array.from({ length: classes }, (_, token) => tokenizer.decode([token])),
    end,
    mostTokens,
    encode: (text) => (text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false })),
    decode,
    logits,
  };
}
