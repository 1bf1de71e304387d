/** `/metrics` for Prometheus: request durations, webhook counters and the ledger's figures. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { Database } from '../../ledger/db/database.js';
import { registerFigures } from './ledger-metrics.js';

export interface ApiMetrics {
  /** Counts an authentic webhook that concerns no configured entity. */
  readonly webhookIgnored: (why: string) => void;
}

/** Registers `/metrics`, and a hook that measures each request. */
export function registerMetrics(app: FastifyInstance, database: Database): ApiMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerFigures(registry, database);
  const durations = new Histogram({
    name: 'refunds_http_request_duration_seconds',
    help: 'Duration of HTTP requests, by method, route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });

  const ignored = new Counter({
    name: 'refunds_webhooks_ignored_total',
    help: 'Authentic gateway notifications that were ignored (unknown entity, or none named), by reason',
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
