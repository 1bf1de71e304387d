/** So many requests a minute for each name; and from each address so many that nobody valid speaks in. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { personKey } from '../../domain/names.js';
import { principalOf, type CountRequest, type RequestLimits } from './auth.js';
import { Problem } from './problems.js';

export async function limitRequests(app: FastifyInstance, requestsPerMinute: number): Promise<RequestLimits> {
  await app.register(rateLimit, { global: false });
  const perMinute = { max: requestsPerMinute, timeWindow: 60_000 };
  const ofName = app.createRateLimit({
    ...perMinute,
    keyGenerator: (request) => personKey(principalOf(request).name),
  });
  const ofAddress = app.createRateLimit(perMinute);

  const limit =
    (count: typeof ofName, whose: string): CountRequest =>
    async (request, reply) => {
      const counted = await count(request);
      if (counted.isAllowed) return;
      void reply.headers({
        'x-ratelimit-limit': counted.max,
        'x-ratelimit-remaining': counted.remaining,
        'x-ratelimit-reset': counted.ttlInSeconds,
      });
      if (counted.isExceeded)
        throw new Problem('rate_limited', `at most ${counted.max} requests a minute ${whose}`, {
          headers: { 'retry-after': String(counted.ttlInSeconds) },
        });
    };
  return {
    ofSpeaker: limit(ofName, 'for each name'),
    ofStranger: limit(ofAddress, 'from each address without a valid key or token'),
  };
}
