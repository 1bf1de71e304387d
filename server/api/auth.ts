/** Authenticates requests by API key or token, limits their rate, and checks the role that the route needs. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayAct, type Principal, type Role } from '../../domain/principal.js';
import { Problem } from './problems.js';

/** Resolves to the principal that the credentials belong to, or null. */
export type Verify = (credentials: string) => Promise<Principal | null>;

/** Counts one request. Throws a 429 problem if the limit is exceeded. */
export type CountRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export interface RequestLimits {
  /** Counts per principal, whichever of its keys is used. */
  readonly perPrincipal: CountRequest;
  /**
   * Counts per IP address, for requests without a valid key or token. Valid requests from the same address are still served: behind a
   * proxy all clients share one address, and a client with a revoked key must not lock out the others.
   */
  readonly perAddress: CountRequest;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Role that the route needs, or any one of several; `anyone` needs no key. A route under `/v1/` without it cannot be registered. */
    readonly role?: Role | readonly Role[] | 'anyone';
  }
  interface FastifyRequest {
    /** Set before the handler of every route that needs a role. */
    principal: Principal | null;
  }
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="oppwa-refunds"' };

/** Registers the hooks that authenticate, limit and authorize each request. */
export function authenticate(
  app: FastifyInstance,
  verifiers: readonly Verify[],
  { perPrincipal, perAddress }: RequestLimits,
): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.role === undefined && url.startsWith('/v1/'))
      throw new Error(`route ${url} has no role in its config`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { role } = request.routeOptions.config;
    if (role === undefined || role === 'anyone') return;
    request.principal = await identify(request, verifiers);
    if (request.principal === null) {
      await perAddress(request, reply);
      throw unauthenticated(request);
    }
    await perPrincipal(request, reply);
    const { principal } = request;
    const needed = typeof role === 'string' ? [role] : role;
    const [named] = needed;
    if (!needed.some((one) => mayAct(principal, one)))
      throw new Problem('forbidden', `the role ${needed.join(' or ')} is required`, {
        details: named === undefined ? {} : { role: named },
        headers: {
          'www-authenticate': `Bearer realm="oppwa-refunds", error="insufficient_scope", scope="${needed.join(' ')}"`,
        },
      });
  });
}

/** Returns the authenticated principal. Throws on a route that needs no key. */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new Error('this route needs no key, so the request has no principal');
  return principal;
}

async function identify(
  { headers }: FastifyRequest,
  verifiers: readonly Verify[],
): Promise<Principal | null> {
  const credentials = /^Bearer (?<text>[\w.~+/=-]{1,8192})$/i.exec(headers.authorization ?? '')?.groups?.[
    'text'
  ];
  if (credentials === undefined) return null;
  for (const verify of verifiers) {
    const principal = await verify(credentials);
    if (principal !== null) return principal;
  }
  return null;
}

const unauthenticated = ({ headers }: FastifyRequest): Problem =>
  headers.authorization === undefined
    ? new Problem('unauthenticated', 'send the header Authorization: Bearer with an API key or a token', {
        headers: CHALLENGE,
      })
    : new Problem('unauthenticated', 'the API key or token is not valid', {
        headers: { 'www-authenticate': `${CHALLENGE['www-authenticate']}, error="invalid_token"` },
      });
