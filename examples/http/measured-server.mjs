// The server in a process of its own, for load.mjs and check.mjs: on a free port of this machine, and with one more
// route, which says how late its event loop has been since it was asked last.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { backend, getThreads } from 'softmax-native';
import { createServer } from './server.mjs';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

const app = createServer();
app.get('/delay', async () => {
  // A timer of 1 ms is what is late.
  const milliseconds = (percentile) => Math.max(0, delay.percentile(percentile) / 1e6 - 1);
  const answer = { p50: milliseconds(50), p99: milliseconds(99) };
  delay.reset();
  return answer;
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.send({ address, isa: backend.isa ?? 'JavaScript', threads: getThreads() });
process.once('disconnect', () => process.exit());
