/** Who speaks, by key or token, and whether the role for a route is there. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mayAct, type Principal, type Role } from '../../domain/principal.js';
import { Problem } from './problems.js';

/** Answers who holds the credentials, or null. */
export type Verify = (credentials: string) => Promise<Principal | null>;

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

export function authenticate(app: FastifyInstance, verifiers: readonly Verify[]): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.role === undefined && url.startsWith('/v1/'))
      throw new Error(`route ${url} does not say which role it needs`);
  });
  app.addHook('onRequest', async (request) => {
    const { role } = request.routeOptions.config;
    if (role === undefined || role === 'anyone') return;
    const speaker = await whoSpeaks(request, verifiers);
    if (!mayAct(speaker, role))
      throw new Problem('forbidden', `this needs the role ${role}`, {
        details: { role },
        headers: {
          'www-authenticate': `Bearer realm="oppwa-refunds", error="insufficient_scope", scope="${role}"`,
        },
      });
    request.principal = speaker;
  });
}

export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new Error('the route is for anyone and has no principal');
  return principal;
}

async function whoSpeaks({ headers }: FastifyRequest, verifiers: readonly Verify[]): Promise<Principal> {
  const given = headers.authorization;
  if (given === undefined)
    throw new Problem('unauthenticated', 'send the header Authorization: Bearer with an API key or a token', {
      headers: CHALLENGE,
    });
  const credentials = /^Bearer (?<text>[\w.~+/=-]{1,8192})$/i.exec(given)?.groups?.['text'];
  for (const verify of credentials === undefined ? [] : verifiers) {
    const speaker = await verify(credentials ?? '');
    if (speaker !== null) return speaker;
  }
  throw new Problem('unauthenticated', 'the API key or token is not valid here', {
    headers: { 'www-authenticate': `${CHALLENGE['www-authenticate']}, error="invalid_token"` },
  });
}
