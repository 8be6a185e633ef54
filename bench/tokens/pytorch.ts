// PyTorch, where Python has it (Debian: python3-torch): softmax, topk, sort and multinomial on one thread.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('pytorch.py', import.meta.url));

export function pytorchCalls(
  peaked: Float32Array,
  flat: Float32Array,
): { readonly name: string; readonly best: number }[] {
  const input = Buffer.concat(
    [peaked, flat].map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength)),
  );
  for (const python of ['python3', '/usr/bin/python3']) {
    const { status, stdout } = spawnSync(python, [script], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    if (status !== 0) continue;
    const { top, topKTopP, topP } = JSON.parse(stdout);
    return [
      { name: 'top 5, PyTorch topk', best: top },
      { name: 'T 0.7, topK 50, topP 0.9, PyTorch', best: topKTopP },
      { name: 'topP 0.9, PyTorch', best: topP },
    ];
  }
  console.error('PyTorch is missing (Debian: python3-torch)');
  return [];
}
