/** `/metrics` for Prometheus: how the API answers, and how much waits in the ledger. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { Database } from '../../ledger/db/database.js';
import { registerFigures } from './ledger-metrics.js';

export interface Measured {
  /** A webhook that is authentic and about nothing here. */
  readonly webhookIgnored: (why: string) => void;
}

export function measure(app: FastifyInstance, database: Database): Measured {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerFigures(registry, database);
  const durations = new Histogram({
    name: 'refunds_http_request_duration_seconds',
    help: 'How long requests took, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });

  const ignored = new Counter({
    name: 'refunds_webhooks_ignored_total',
    help: 'Authentic notifications about nothing here (an entity that is not configured, or none named), by reason',
    labelNames: ['why'],
    registers: [registry],
  });

  app.get('/metrics', { config: { role: 'anyone' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? '(none)';
    durations.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
  });
  return {
    webhookIgnored: (why) => {
      ignored.inc({ why });
    },
  };
}
