/** Keys of the HTTP API. The text is shown once; only the hash of its secret part is stored. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { NAME_RULE, readName } from '../../domain/names.js';
import { isRole, type Principal, type Role } from '../../domain/principal.js';
import { Secret } from '../../domain/secret.js';
import type { ColumnType } from 'kysely';
import type { Database, Tables } from '../db/database.js';
import { NOW } from '../db/expressions.js';

interface ApiKeyTable {
  id: string;
  name: string;
  roles: string[];
  secret_hash: string;
  created_at: ColumnType<Date, Date | undefined, Date>;
  revoked_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

export interface ApiKeyRecord extends Principal {
  /** The part between the first two underscores of the text; not secret. */
  readonly id: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

const TEXT = /^rk_(?<id>[0-9a-z]{12})_(?<secret>[\w-]{43})$/;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Creates a key. `text` cannot be read again later. Throws `RangeError` if the name or the roles are invalid. */
export async function createApiKey(
  database: Database,
  { name: given, roles }: { readonly name: string; readonly roles: readonly Role[] },
): Promise<{ readonly key: ApiKeyRecord; readonly text: Secret<string> }> {
  const name = readName(given);
  if (name === undefined || looksLikeCard(given)) throw new RangeError(`the name of a key ${NAME_RULE}`);
  if (roles.length === 0) throw new RangeError('a key needs at least one role');
  const id = Array.from({ length: 12 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  const secret = randomBytes(32).toString('base64url');
  const row = await tables(database)
    .insertInto('api_keys')
    .values({ id, name, roles: [...new Set(roles)], secret_hash: hashOf(secret).toString('hex') })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { key: recordOf(row), text: new Secret(`rk_${id}_${secret}`) };
}

/** Returns the key with this text, or null: malformed, unknown or revoked. A revocation counts from the next request on. */
export async function verifyApiKey(database: Database, text: string): Promise<ApiKeyRecord | null> {
  const parts = TEXT.exec(text)?.groups;
  if (parts?.['id'] === undefined || parts['secret'] === undefined) return null;
  const row = await tables(database)
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', parts['id'])
    .executeTakeFirst();
  if (row === undefined) return null;
  const isSame = timingSafeEqual(hashOf(parts['secret']), Buffer.from(row.secret_hash, 'hex'));
  // A key whose name has become a reserved name is invalid.
  return isSame && row.revoked_at === null && readName(row.name) !== undefined ? recordOf(row) : null;
}

/** Revokes a key; null if its id is unknown. Revoking it again has no effect. */
export async function revokeApiKey(database: Database, id: string): Promise<ApiKeyRecord | null> {
  await tables(database)
    .updateTable('api_keys')
    .set({ revoked_at: NOW })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
  const row = await tables(database)
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : recordOf(row);
}

/** Lists all keys, also revoked ones, oldest first. */
export async function listApiKeys(database: Database): Promise<readonly ApiKeyRecord[]> {
  const rows = await tables(database)
    .selectFrom('api_keys')
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(recordOf);
}

const tables = ({ db }: Database): Kysely<Tables & { api_keys: ApiKeyTable }> =>
  db.withTables<{ api_keys: ApiKeyTable }>();

/** A secret of 256 random bits cannot be guessed, so it needs no slow hash. */
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const recordOf = (row: Selectable<ApiKeyTable>): ApiKeyRecord => ({
  id: row.id,
  name: row.name,
  roles: row.roles.filter(isRole),
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
});
