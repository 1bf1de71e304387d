/** So many requests a minute for each name. Who has no valid key gets nothing that would have to be counted. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { principalOf } from './auth.js';
import { Problem } from './problems.js';

/** After authentication: it is the name that is counted, whichever of its keys is used. */
export async function limitRequests(app: FastifyInstance, requestsPerMinute: number): Promise<void> {
  await app.register(rateLimit, { global: false });
  const count = app.createRateLimit({
    max: requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => principalOf(request).name,
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.principal === null) return;
    const counted = await count(request);
    if (counted.isAllowed) return;
    void reply.headers({
      'x-ratelimit-limit': counted.max,
      'x-ratelimit-remaining': counted.remaining,
      'x-ratelimit-reset': counted.ttlInSeconds,
    });
    if (counted.isExceeded)
      throw new Problem('rate_limited', `at most ${counted.max} requests a minute for each name`, {
        headers: { 'retry-after': String(counted.ttlInSeconds) },
      });
  });
}
