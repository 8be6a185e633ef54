// A process that makes requests, so that whoever starts it can watch the server undisturbed. (autocannon in a worker
// takes itself for one of its own.)

import { once } from 'node:events';
import autocannon from 'autocannon';

const { url, rows, classes, seconds, connections } = (await once(process, 'message'))[0];
const logits = Float32Array.from({ length: rows * classes }, (_, i) => 8 * Math.sin(i * i));
process.send('ready');
await once(process, 'message');
const { requests, latency, non2xx, errors } = await autocannon({
  url: `${url}?rows=${rows}&classes=${classes}`,
  method: 'POST',
  headers: { 'content-type': 'application/octet-stream' },
  body: Buffer.from(logits.buffer),
  duration: seconds,
  connections,
});
process.send({
  rate: requests.average,
  p50: latency.p50,
  p99: latency.p99,
  failed: non2xx + errors,
});
process.disconnect();
