/** `/metrics` for Prometheus: how the API answers, and how much waits in the ledger. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from '../../ledger/database.js';
import { figuresOf, type Figures } from '../../ledger/figures.js';
import { registerFigures } from './upkeep-metrics.js';

/** Milliseconds for which figures of the database are told again: several scrapers are one query. */
const FRESH = 5_000;

export function measure(app: FastifyInstance, database: Database): void {
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
  const unfinished = new Gauge({
    name: 'refunds_unfinished',
    help: 'Refunds that are not final, by state',
    labelNames: ['state'],
    registers: [registry],
  });
  const oldest = new Gauge({
    name: 'refunds_unfinished_oldest_seconds',
    help: 'Seconds since the oldest refund of each state is in it',
    labelNames: ['state'],
    registers: [registry],
  });
  const cases = new Gauge({
    name: 'refunds_open_cases',
    help: 'Cases that wait for a person, by reason',
    labelNames: ['why'],
    registers: [registry],
  });
  const oldestCase = new Gauge({
    name: 'refunds_open_cases_oldest_seconds',
    help: 'Seconds since the oldest case of each reason is open',
    labelNames: ['why'],
    registers: [registry],
  });
  const readable = new Gauge({
    name: 'refunds_ledger_readable',
    help: '1 while the figures of the ledger could be read',
    registers: [registry],
  });

  let known: { readonly at: number; readonly figures: Promise<Figures> } | undefined;
  async function readLedger(): Promise<void> {
    const now = performance.now();
    if (known === undefined || now - known.at > FRESH) known = { at: now, figures: figuresOf(database) };
    try {
      const figures = await known.figures;
      for (const gauge of [unfinished, oldest, cases, oldestCase]) gauge.reset();
      for (const { state, count, oldestSeconds } of figures.unfinished) {
        unfinished.set({ state }, count);
        oldest.set({ state }, oldestSeconds);
      }
      for (const { why, count, oldestSeconds } of figures.openCases) {
        cases.set({ why }, count);
        oldestCase.set({ why }, oldestSeconds);
      }
      readable.set(1);
    } catch {
      known = undefined;
      readable.set(0);
    }
  }

  app.get('/metrics', { config: { role: 'anyone' }, schema: { hide: true } }, async (_request, reply) => {
    await readLedger();
    return reply.type(registry.contentType).send(await registry.metrics());
  });

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? '(none)';
    durations.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
  });
}
