/** What the last audit of the ledger found. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { latestAudit } from '../../ledger/maintenance/audits.js';
import { auditOf } from '../../client/audit-view.js';
import type { ApiParts } from './parts.js';
import { Problem, problems } from './problems.js';
import { time } from './schemas.js';

export const audit = z
  .object({
    id: z.string(),
    at: time,
    durationMs: z.int().min(0),
    payments: z.int().min(0).describe('Payments read: those that had changed, and a part of all'),
    wholeSince: time
      .nullable()
      .describe('Every payment was read then or later; null while the first reading of all goes on'),
    ok: z.boolean().describe('Nothing is wrong, and every question was answered'),
    complete: z.boolean(),
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
        tags: ['upkeep'],
        summary: 'What the last audit of the ledger found',
        description:
          'A schedule checks I1 to I8 every hour: the payments that have changed, then a part of all. The counts are of all that is known to be wrong.',
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
