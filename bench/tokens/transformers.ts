// transformers.js's multinomial sampler: topk in onnxruntime, softmax and a draw in JavaScript. It has no top-p. The package
// does not export it, so it is loaded from its file.

type Sampler = (logits: unknown) => Promise<unknown>;

const file = (name: string) =>
  new URL(`../peers/node_modules/@huggingface/transformers/src/${name}`, import.meta.url).href;

export async function transformersSampler(
  row: Float32Array,
): Promise<{ readonly name: string; readonly call: () => Promise<unknown> }[]> {
  const { LogitsSampler } = await import(file('generation/logits_sampler.js'));
  const { Tensor } = await import(file('utils/tensor.js'));
  const logits = new Tensor('float32', row, [1, row.length]);
  const sampler = (topK: number): Sampler =>
    LogitsSampler.getSampler({ do_sample: true, top_k: topK, num_beams: 1 });
  const [all, some] = [sampler(0), sampler(50)];
  return [
    { name: 'all classes, transformers.js', call: () => all(logits) },
    { name: 'topK 50, transformers.js', call: () => some(logits) },
  ];
}
