/** Verifies JWTs of an identity provider against the keys that it publishes (JWKS). */
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { readName } from '../../domain/names.js';
import { isRole } from '../../domain/principal.js';
import type { TokenSettings } from '../../settings/api.js';
import type { Verify } from './auth.js';
import { Problem } from './problems.js';

/** Public-key algorithms only: with a shared-secret algorithm, the public key could sign tokens. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Seconds of clock difference that are tolerated. */
const CLOCK_TOLERANCE = 5;

const claims = z.object({
  sub: z.string(),
  roles: z.array(z.string()).default([]),
});

/** Returns a verifier. The claim `sub` is the principal's name, `roles` its roles; unknown roles are ignored. */
export function verifyTokens({ issuer, audience, keysUrl }: TokenSettings): Verify {
  const keys = createRemoteJWKSet(new URL(keysUrl));
  return async (credentials) => {
    if (credentials.split('.').length !== 3) return null;
    try {
      const { payload } = await jwtVerify(credentials, keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE,
      });
      const read = claims.safeParse(payload);
      const name = readName(read.data?.sub);
      return read.success && name !== undefined && !looksLikeCard(name)
        ? { name, roles: read.data.roles.filter(isRole) }
        : null;
    } catch (error) {
      if (isInvalid(error)) return null;
      throw new Problem('not_ready', 'the keys of the identity provider could not be read; try again', {});
    }
  };
}

/** True if the error is about the token itself. All others are failures to fetch the keys. */
const isInvalid = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  !(error instanceof errors.JWKSTimeout) &&
  !(error instanceof errors.JWKSInvalid) &&
  error.code !== 'ERR_JOSE_GENERIC';
