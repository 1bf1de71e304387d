/** The first check of every request: is the access token valid for this entity? */
import { bareBody } from './bodies.js';
import type { IdSource } from './ids.js';
import type { Entity } from './settings.js';
import type { Answer } from './types.js';

export type Access =
  { readonly granted: true; readonly entity: Entity } | { readonly granted: false; readonly answer: Answer };

const NOT_AUTHENTICATED = '800.900.300';
const ENTITY_FORMAT = '[a-f0-9]{32}';
const ENTITY_ID = new RegExp(`^${ENTITY_FORMAT}$`);

/** The answer to a token that is not valid for this entity. */
export const forbidden = (entityId: string, ids: IdSource, now: number): Answer => ({
  httpStatus: 403,
  body: bareBody(ids, entityId, now, NOT_AUTHENTICATED),
});

/** 401 without a bearer token, 403 for a token that is unknown or not for this entity, 400 where no entity is named. */
export function checkAccess(
  entities: ReadonlyMap<string, Entity>,
  authorization: string | null,
  entityId: string | undefined,
  ids: IdSource,
  now: number,
): Access {
  const deny = (httpStatus: number): Access => ({
    granted: false,
    answer: {
      httpStatus,
      body: bareBody(ids, entityId ?? 'unknown', now, NOT_AUTHENTICATED),
    },
  });
  const token = authorization === null ? null : /^Bearer (\S+)$/i.exec(authorization)?.[1];
  if (token === null || token === undefined) return deny(401);
  if (!isKnown(entities, token)) return deny(403);
  if (entityId === undefined || !ENTITY_ID.test(entityId)) {
    const value = entityId ?? null;
    const errors = [{ name: 'entityId', value, message: `must match "${ENTITY_FORMAT}"` }];
    return {
      granted: false,
      answer: {
        httpStatus: 400,
        body: bareBody(ids, 'unknown', now, '200.300.404', errors),
      },
    };
  }
  const entity = entities.get(entityId);
  return entity?.token === token ? { granted: true, entity } : deny(403);
}

function isKnown(entities: ReadonlyMap<string, Entity>, token: string): boolean {
  for (const entity of entities.values()) if (entity.token === token) return true;
  return false;
}
