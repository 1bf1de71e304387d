/** Liveness (`/healthz`) and readiness (`/readyz`) for the platform. They need no key and reveal no details. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Resolves if the dependency is usable, rejects if not. */
export type Check = () => Promise<void>;

/** Checks by the name that the response shows. */
export type Readiness = Readonly<Record<string, Check>>;

/** Milliseconds a check may take. A platform probes every few seconds and times out after one or two. */
const ANSWER_WITHIN = 2_000;

const parts = z.record(z.string(), z.enum(['ok', 'failed']));
const healthy = z.object({ status: z.literal('ok') }).meta({ id: 'Healthy' });
const reportingShape = z.record(z.string(), z.literal('v1')).meta({
  description:
    'Entities without v3 reporting. Their refunds work; credits, and the proof that a transaction is absent, need an operator',
});
const ready = z
  .object({ status: z.literal('ok'), checks: parts, reporting: reportingShape.optional() })
  .meta({ id: 'Ready' });
const notReady = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.literal(503),
    code: z.literal('not_ready'),
    detail: z.string(),
    checks: parts,
  })
  .meta({ id: 'NotReady' });

interface HealthOptions {
  readonly readiness: Readiness;
  /** Entities whose account has no v3 reporting. */
  readonly reporting: () => Promise<Readonly<Record<string, 'v1'>>>;
}

export const healthRoutes: FastifyPluginAsyncZod<HealthOptions> = async (app, { readiness, reporting }) => {
  app.get(
    '/healthz',
    {
      config: { role: 'anyone' },
      schema: { tags: ['platform'], summary: 'Check that the process is alive', response: { 200: healthy } },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { role: 'anyone' },
      schema: {
        tags: ['platform'],
        summary: 'Check that refunds can be accepted and started',
        response: {
          200: ready,
          503: {
            description: 'A dependency is unavailable',
            content: { 'application/problem+json': { schema: notReady } },
          },
        },
      },
    },
    async (_request, reply) => {
      const results = await Promise.all(
        Object.entries(readiness).map(
          async ([name, check]) => [name, (await answers(check)) ? 'ok' : 'failed'] as const,
        ),
      );
      const checks = Object.fromEntries(results);
      const failed = results.filter(([, result]) => result === 'failed').map(([name]) => name);
      if (failed.length === 0) {
        const limited = await reporting();
        const isLimited = Object.keys(limited).length > 0;
        return { status: 'ok' as const, checks, ...(isLimited ? { reporting: limited } : {}) };
      }
      return reply
        .code(503)
        .header('retry-after', '2')
        .type('application/problem+json')
        .send({
          type: 'urn:oppwa-refunds:problem:not_ready',
          title: 'The service is not ready',
          status: 503 as const,
          code: 'not_ready' as const,
          detail: `unavailable or misconfigured: ${failed.join(', ')}`,
          checks,
        });
    },
  );
};

async function answers(check: Check): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ANSWER_WITHIN);
  });
  try {
    return await Promise.race([
      check().then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
