/** Who speaks, by key or token, how often, and whether the role for a route is there. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayAct, type Principal, type Role } from '../../domain/principal.js';
import { Problem } from './problems.js';

/** Answers who holds the credentials, or null. */
export type Verify = (credentials: string) => Promise<Principal | null>;

/** Counts one request, and throws where it was one too many. */
export type CountRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export interface RequestLimits {
  /** By the name that speaks, whichever of its keys is used. */
  readonly ofSpeaker: CountRequest;
  /**
   * By the address that it comes from, for requests without a valid key or token. Valid ones from there are served all the same: behind a
   * proxy everybody has one address, and a caller with an old key must not shut the others out.
   */
  readonly ofStranger: CountRequest;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Needed to call the route; `anyone` needs no key. A route without it cannot be registered. */
    readonly role?: Role | 'anyone';
  }
  interface FastifyRequest {
    /** Set before the handler of every route that is not for anyone. */
    principal: Principal | null;
  }
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="oppwa-refunds"' };

export function authenticate(
  app: FastifyInstance,
  verifiers: readonly Verify[],
  { ofSpeaker, ofStranger }: RequestLimits,
): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.role === undefined && url.startsWith('/v1/'))
      throw new Error(`route ${url} does not say which role it needs`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { role } = request.routeOptions.config;
    if (role === undefined || role === 'anyone') return;
    request.principal = await whoSpeaks(request, verifiers);
    if (request.principal === null) {
      await ofStranger(request, reply);
      throw unauthenticated(request);
    }
    await ofSpeaker(request, reply);
    if (!mayAct(request.principal, role))
      throw new Problem('forbidden', `this needs the role ${role}`, {
        details: { role },
        headers: {
          'www-authenticate': `Bearer realm="oppwa-refunds", error="insufficient_scope", scope="${role}"`,
        },
      });
  });
}

export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new Error('the route is for anyone and has no principal');
  return principal;
}

async function whoSpeaks(
  { headers }: FastifyRequest,
  verifiers: readonly Verify[],
): Promise<Principal | null> {
  const credentials = /^Bearer (?<text>[\w.~+/=-]{1,8192})$/i.exec(headers.authorization ?? '')?.groups?.[
    'text'
  ];
  if (credentials === undefined) return null;
  for (const verify of verifiers) {
    const speaker = await verify(credentials);
    if (speaker !== null) return speaker;
  }
  return null;
}

const unauthenticated = ({ headers }: FastifyRequest): Problem =>
  headers.authorization === undefined
    ? new Problem('unauthenticated', 'send the header Authorization: Bearer with an API key or a token', {
        headers: CHALLENGE,
      })
    : new Problem('unauthenticated', 'the API key or token is not valid here', {
        headers: { 'www-authenticate': `${CHALLENGE['www-authenticate']}, error="invalid_token"` },
      });
