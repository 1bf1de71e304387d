/** `GET /v1/audits/latest`: the result of the last ledger audit. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { latestAudit } from '../../ledger/maintenance/audits.js';
import { auditOf } from '../../client/audit-view.js';
import type { ApiParts } from './route-dependencies.js';
import { Problem, problems } from './problems.js';
import { time } from './schemas.js';

export const audit = z
  .object({
    id: z.string(),
    at: time,
    durationMs: z.int().min(0),
    payments: z
      .int()
      .min(0)
      .describe('Payments checked: those that changed since the last audit, and a part of all others'),
    completeSince: time
      .nullable()
      .describe(
        'Every payment was checked at this time or later; null until the first full pass is complete',
      ),
    ok: z.boolean().describe('True if no violation was found and every check was completed'),
    complete: z.boolean().describe('True if every check was completed in time'),
    violations: z.int().min(0),
    invariants: z
      .array(
        z.object({
          invariant: z.string(),
          text: z.string(),
          checked: z.boolean(),
          violations: z.int().min(0),
          examples: z.array(z.string()).readonly(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'Audit' });

export const auditRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { database }) => {
  app.get(
    '/v1/audits/latest',
    {
      config: { role: 'read' },
      schema: {
        tags: ['maintenance'],
        summary: 'Get the latest audit',
        description:
          'A schedule checks the invariants I1 to I9 every hour: first the payments that changed, then a part of all others. The counts cover every known violation, also those found by earlier audits.',
        response: { 200: audit, ...problems(401, 404, 429, 500, 503) },
      },
    },
    async () => {
      const latest = await latestAudit(database);
      if (latest === null) throw new Problem('not_found', 'no audit has run yet');
      return auditOf(latest);
    },
  );
};
