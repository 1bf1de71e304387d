/** Limits requests per minute for each principal, and for each IP address without a valid key. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { principalKey } from '../../domain/names.js';
import { principalOf, type CountRequest, type RequestLimits } from './auth.js';
import { Problem } from './problems.js';

/** Creates the limits of this process. Throttled responses carry `retry-after` and `x-ratelimit-*`. */
export async function limitRequests(app: FastifyInstance, requestsPerMinute: number): Promise<RequestLimits> {
  await app.register(rateLimit, { global: false });
  const perMinute = { max: requestsPerMinute, timeWindow: 60_000 };
  const byPrincipal = app.createRateLimit({
    ...perMinute,
    keyGenerator: (request) => principalKey(principalOf(request).name),
  });
  const byAddress = app.createRateLimit(perMinute);

  const limit =
    (count: typeof byPrincipal, scope: string): CountRequest =>
    async (request, reply) => {
      const counted = await count(request);
      if (counted.isAllowed) return;
      void reply.headers({
        'x-ratelimit-limit': counted.max,
        'x-ratelimit-remaining': counted.remaining,
        'x-ratelimit-reset': counted.ttlInSeconds,
      });
      if (counted.isExceeded)
        throw new Problem('rate_limited', `at most ${counted.max} requests per minute are allowed ${scope}`, {
          headers: { 'retry-after': String(counted.ttlInSeconds) },
        });
    };
  return {
    perPrincipal: limit(byPrincipal, 'for each principal'),
    perAddress: limit(byAddress, 'from each IP address without a valid key or token'),
  };
}
