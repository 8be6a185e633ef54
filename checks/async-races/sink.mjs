// A worker that takes buffers and spoils them, and lets those that can grow, grow.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', (buffer) => {
  if (buffer === 'stop') {
    parentPort.close();
    return;
  }
  if (buffer instanceof SharedArrayBuffer) {
    while (buffer.byteLength < buffer.maxByteLength)
      try {
        buffer.grow(Math.min(buffer.maxByteLength, buffer.byteLength + 4096));
      } catch {} // the other thread was faster
    return;
  }
  new Uint8Array(buffer).fill(0xff);
});
