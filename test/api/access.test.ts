/** Authentication and authorization: API keys, tokens, roles and rate limits. */
import { createServer } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { z } from 'zod';
import { verifyTokens } from '../../server/api/tokens.js';
import { mayAct, ROLES, type Role } from '../../domain/principal.js';
import { revokeApiKey } from '../../ledger/access/api-keys.js';
import { problemOf, startApi, type Answer } from './harness.js';

const ISSUER = 'https://login.example';
const AUDIENCE = 'refunds';
const signing = await generateKeyPair('ES256');
const publicKey = { ...(await exportJWK(signing.publicKey)), kid: 'one', alg: 'ES256' };
const provider = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ keys: [publicKey] }));
});
await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
const address = z.object({ port: z.number() }).parse(provider.address());
const keysUrl = `http://127.0.0.1:${address.port}/keys`;

const harness = await startApi({
  worker: false,
  api: { verifyToken: verifyTokens({ issuer: ISSUER, audience: AUDIENCE, keysUrl }) },
});
afterAll(async () => {
  await harness.close();
  provider.close();
});
const { call, newKey } = harness;

/** One role, or several of which one is enough. */
const roleShape = z.union([z.string().transform((role) => [role]), z.array(z.string())]).default([]);
const document = z
  .object({ paths: z.record(z.string(), z.record(z.string(), z.looseObject({ 'x-role': roleShape }))) })
  .parse((await call('GET', '/openapi.json', { key: null })).body);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { 'x-role': roles }]) => {
    const needed = ROLES.filter((one) => roles.includes(one));
    return needed.length === 0 ? [] : [{ method: method.toUpperCase(), path, needed }];
  }),
);
const keys = new Map<Role, string>();
for (const role of ROLES) keys.set(role, await newKey(`only-${role}`, role));

/** Sends a request and returns status and code, without waiting for the end of a stream. */
async function probe(
  method: string,
  path: string,
  key: string | null,
): Promise<{ status: number; code?: string }> {
  const answer = await fetch(`${harness.url}${path.replaceAll(/\{\w+\}/g, 'nothing')}`, {
    method,
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
  });
  if (!/problem/.test(answer.headers.get('content-type') ?? '')) {
    await answer.body?.cancel();
    return { status: answer.status };
  }
  const { code } = z.object({ code: z.string() }).parse(await answer.json());
  return { status: answer.status, code };
}

describe('every operation of the OpenAPI document', () => {
  it('exists, and declares its role if it is under /v1', () => {
    expect(operations.length).toBeGreaterThan(10);
    for (const path of Object.keys(document.paths).filter((one) => one.startsWith('/v1/')))
      expect(operations.map((one) => one.path)).toContain(path);
  });

  it.each(operations)('$method $path is allowed with the role $needed only', async (operation) => {
    const { method, path, needed } = operation;
    expect(await probe(method, path, null)).toEqual({ status: 401, code: 'unauthenticated' });
    for (const role of ROLES) {
      const answer = await probe(method, path, keys.get(role) ?? '');
      const isAllowed = needed.some((one) => mayAct({ name: '', roles: [role] }, one));
      if (isAllowed) expect([401, 403], role).not.toContain(answer.status);
      else expect(answer, role).toEqual({ status: 403, code: 'forbidden' });
    }
  });
});

const me = (credentials: string): Promise<Answer> => call('GET', '/v1/me', { key: credentials });

describe('an API key', () => {
  it.each(['system', 'Gateway', 'query', 'sys\u200btem', ' cancellation ', 'ѕуѕtеm', 'a\u0000b', ''])(
    'cannot have a reserved, invalid or empty name: %j',
    async (name) => {
      await expect(newKey(name, 'approve')).rejects.toThrow(/must be 1 to 255 characters/);
    },
  );

  it('has the same owner for every spelling of the name', async () => {
    expect((await me(await newKey(' mari\u200ba ', 'read'))).body).toMatchObject({ name: 'maria' });
  });

  it('returns its name and roles from /v1/me', async () => {
    expect((await me(await newKey('alice', 'operate', 'approve'))).body).toEqual({
      name: 'alice',
      roles: ['operate', 'approve'],
    });
  });

  it('is invalid from the moment it is revoked; another key of the same owner stays valid', async () => {
    const [first, second] = [await newKey('bob', 'read'), await newKey('bob', 'read')];
    await revokeApiKey(harness.stack.database, first.split('_')[1] ?? '');
    expect((await me(first)).status).toBe(401);
    expect((await me(second)).body).toMatchObject({ name: 'bob' });
  });

  it.each([
    ['with another secret', (key: string) => `${key.slice(0, -4)}${key.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`],
    ['with another id', (key: string) => key.replace(/_[0-9a-z]{12}_/, '_000000000000_')],
    ['that is truncated', (key: string) => key.slice(0, -1)],
    ['with an extra character', (key: string) => `${key}x`],
    ['that is the secret alone', (key: string) => key.split('_').slice(2).join('_')],
  ])('%s is invalid', async (_what, change) => {
    const answer = await me(change(await newKey('carol', 'read')));
    expect(answer.status).toBe(401);
    expect(problemOf(answer).code).toBe('unauthenticated');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*invalid_token/);
  });

  it('is required: no credentials and Basic credentials get 401 with a challenge', async () => {
    const none = await call('GET', '/v1/me', { key: null });
    const basic = await call('GET', '/v1/me', { key: null, headers: { authorization: 'Basic eDp5' } });
    expect([none.status, basic.status]).toEqual([401, 401]);
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="oppwa-refunds"');
  });
});

describe('a token', () => {
  const token = (
    payload: JWTPayload,
    { key = signing.privateKey, alg = 'ES256', kid = 'one', ends = '5m' } = {},
  ): Promise<string> =>
    new SignJWT({ iss: ISSUER, aud: AUDIENCE, ...payload })
      .setProtectedHeader({ alg, kid })
      .setExpirationTime(ends)
      .sign(key);

  it('is accepted: its subject is the name, and unknown roles are ignored', async () => {
    expect((await me(await token({ sub: 'dora', roles: ['approve', 'admin'] }))).body).toEqual({
      name: 'dora',
      roles: ['approve'],
    });
  });

  it('without a known role is forbidden everything', async () => {
    const answer = await me(await token({ sub: 'dora', roles: ['admin'] }));
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  it.each([
    ['from another issuer', () => token({ sub: 'dora', iss: 'https://other.example' })],
    ['for another audience', () => token({ sub: 'dora', aud: 'orders' })],
    ['with a reserved name', () => token({ sub: 'system', roles: ['approve'] })],
    ['with a reserved name that contains an invisible character', () => token({ sub: 'gate\u2060way' })],
    ['with a card as its name', () => token({ sub: '4111 1111 1111 1111', roles: ['approve'] })],
    ['with a card within its name', () => token({ sub: 'till-4111.1111.1111.1111', roles: ['submit'] })],
    ['with a security code as its name', () => token({ sub: 'cvv 123', roles: ['submit'] })],
    ['that has expired', () => token({ sub: 'dora' }, { ends: '-1m' })],
    ['without a subject', () => token({ roles: ['approve'] })],
    [
      'signed with a foreign key',
      async () => token({ sub: 'dora' }, { key: (await generateKeyPair('ES256')).privateKey }),
    ],
    ['with an unknown key id', () => token({ sub: 'dora' }, { kid: 'two' })],
    [
      'without a signature',
      async () =>
        new UnsecuredJWT({ sub: 'dora', roles: ['approve'], iss: ISSUER, aud: AUDIENCE })
          .setExpirationTime('5m')
          .encode(),
    ],
    [
      'signed with the public key as a shared secret',
      () =>
        new SignJWT({ sub: 'dora', roles: ['approve'], iss: ISSUER, aud: AUDIENCE })
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(JSON.stringify(publicKey))),
    ],
  ])('%s is refused', async (_what, make) => {
    const answer = await me(await make());
    expect(answer.status).toBe(401);
    expect(problemOf(answer).code).toBe('unauthenticated');
  });

  it('gets 503 instead of 401 while the keys of the identity provider cannot be read', async () => {
    const verify = verifyTokens({
      issuer: ISSUER,
      audience: AUDIENCE,
      keysUrl: 'http://127.0.0.1:9/keys',
    });
    await expect(verify(await token({ sub: 'dora' }))).rejects.toMatchObject({ code: 'not_ready' });
  });
});

describe('too many requests', () => {
  it('get 429 with retry-after, for that principal only', async () => {
    const strict = await startApi({ worker: false, api: { requestsPerMinute: 3 } });
    try {
      const [one, same, other] = [
        await strict.newKey('erin', 'read'),
        await strict.newKey('erin', 'submit'),
        await strict.newKey('frank', 'read'),
      ];
      const statuses: number[] = [];
      for (const key of [one, same, one, same, other])
        statuses.push((await strict.call('GET', '/v1/me', { key })).status);
      expect(statuses).toEqual([200, 200, 200, 429, 200]);
      const refused = await strict.call('GET', '/v1/me', { key: one });
      expect(problemOf(refused).code).toBe('rate_limited');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await strict.close();
    }
  });
});

describe('too many requests without a valid key', () => {
  it('get 429, while a valid key from the same address is served', async () => {
    const strict = await startApi({ worker: false, api: { requestsPerMinute: 3 } });
    try {
      const valid = await strict.newKey('erin', 'read');
      const me = async (key: string | null): Promise<Answer> => strict.call('GET', '/v1/me', { key });
      const statuses: number[] = [];
      for (const key of [null, 'no key', `${valid}x`, null, `${valid}y`, valid])
        statuses.push((await me(key)).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429, 200]);
      const refused = await me(null);
      expect(problemOf(refused).code).toBe('rate_limited');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await strict.close();
    }
  });
});

describe('the log', () => {
  it('has principal, route and request id of each request, and never a key, a token or a full path', () => {
    const lines = harness.logged.join('');
    expect(lines).toContain('"clientId":"only-submit"');
    expect(lines).toContain('"route":"/v1/refunds/:id/approve"');
    expect(lines).not.toMatch(/rk_[0-9a-z]{12}_/);
    expect(lines).not.toMatch(/eyJ/);
    expect(lines).not.toContain('nothing');
  });
});
