// What workers count, for Prometheus.

import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';

export const registry = new Registry();
const registers = [registry];
const counter = (name, help) => new Counter({ name: `softmax_scoring_${name}`, help, registers });

export const metrics = {
  rows: counter('rows_total', 'Rows scored'),
  jobs: counter('jobs_total', 'Jobs done'),
  retries: counter('retries_total', 'Jobs that failed and will be tried again'),
  failed: counter('failed_total', 'Jobs that failed for good'),
  stalled: counter('stalled_total', 'Jobs whose worker was lost'),
  repaired: counter('repaired_total', 'Jobs that the last step had to do again'),
  seconds: new Histogram({
    name: 'softmax_scoring_job_seconds',
    help: 'Seconds of a job: read and write (files), compute, checksum; total is all of them and what is between',
    labelNames: ['part'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  }),
};
// There from the start, so that a first failure is seen as a change.
for (const part of ['read', 'compute', 'checksum', 'write', 'total']) metrics.seconds.zero({ part });

/** Sums over processes, of what registry.getMetricsAsJSON() gave in each. */
export const sumOf = (snapshots) => AggregatorRegistry.aggregate(snapshots).metrics();
export const contentType = registry.contentType;
