// The page of jobs (bull-board) and the numbers for Prometheus, by HTTP.

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Queue } from 'bullmq';
import fastify from 'fastify';
import { contentType } from './metrics.mjs';
import { connectionTo, queueName } from './queue.mjs';

/**
 * `metrics()`: of workers on this machine; without it /metrics has the numbers of jobs alone. On loopback, if no other
 * `host` is given: whoever sees the page may also remove jobs.
 */
export async function startServer({ url, host = '127.0.0.1', port, metrics }) {
  const queue = new Queue(queueName, { connection: connectionTo(url) });
  queue.on('error', () => {});
  const app = fastify();
  const serverAdapter = new FastifyAdapter();
  createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter });
  serverAdapter.setBasePath('/board');
  app.register(serverAdapter.registerPlugin(), { prefix: '/board' });
  app.get('/', (_request, reply) => reply.redirect('/board'));
  app.get('/metrics', async (_request, reply) => {
    const parts = [await queue.exportPrometheusMetrics(), await metrics?.()];
    return reply.type(contentType).send(parts.filter(Boolean).join('\n'));
  });
  const address = await app.listen({ host, port });
  return {
    address,
    async stop() {
      await app.close();
      await queue.close();
    },
  };
}
