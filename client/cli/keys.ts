/** `keys create | revoke | list`: who may speak to the HTTP API. */
import { looksLikeCard } from '../../domain/card/card-number.js';
import { NAME_RULE, readName } from '../../domain/names.js';
import type { Role } from '../../domain/principal.js';
import { createApiKey, listApiKeys, revokeApiKey, type ApiKeyRecord } from '../../ledger/access/api-keys.js';
import { migrate } from '../../ledger/db/migrate.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { run, tell } from './session.js';

interface Json {
  readonly json?: true | undefined;
}

export interface CreateOptions extends Json {
  readonly name?: string | undefined;
  readonly role?: readonly Role[] | undefined;
}

/** The text of the key is the one thing on stdout, once: nobody can read it again. */
export function create({ name, role: roles = [], json }: CreateOptions): Promise<ExitCode> {
  const problems = [
    ...(name === undefined ? [{ field: '--name', code: 'missing', message: 'is missing' }] : []),
    ...(name !== undefined && (readName(name) === undefined || looksLikeCard(name))
      ? [{ field: '--name', code: 'invalid', message: NAME_RULE }]
      : []),
    ...(roles.length === 0 ? [{ field: '--role', code: 'missing', message: 'is missing' }] : []),
  ];
  if (name === undefined || problems.length > 0)
    return Promise.resolve(tell(json === true, new WrongUse(problems)));
  return run(json === true, async ({ settings, database, print, note }) => {
    // A key may be the first thing that a new installation needs.
    await migrate(settings.databaseUrl);
    const { key, text } = await createApiKey(database, { name, roles });
    note(`key ${key.id} of ${key.name} (${key.roles.join(', ')}); its text is shown this once`);
    print({ ...viewOf(key), key: text.reveal() }, () => text.reveal());
    return EXIT.done;
  });
}

export function revoke(id: string, { json }: Json): Promise<ExitCode> {
  return run(json === true, async ({ database, print, note }) => {
    const key = await revokeApiKey(database, id);
    if (key === null) {
      note(
        json === true
          ? JSON.stringify({ error: { code: 'key_not_found', message: `there is no key ${id}` } })
          : `key_not_found: there is no key ${id}`,
      );
      return EXIT.failed;
    }
    print(viewOf(key), () => lineOf(key));
    return EXIT.done;
  });
}

export function list({ json }: Json): Promise<ExitCode> {
  return run(json === true, async ({ database, print }) => {
    const keys = await listApiKeys(database);
    print(keys.map(viewOf), () => keys.map(lineOf).join('\n') || 'no keys');
    return EXIT.done;
  });
}

const viewOf = ({ id, name, roles, createdAt, revokedAt }: ApiKeyRecord) => ({
  id,
  name,
  roles,
  createdAt: createdAt.toISOString(),
  revokedAt: revokedAt?.toISOString() ?? null,
});

const lineOf = ({ id, name, roles, createdAt, revokedAt }: ApiKeyRecord): string =>
  [
    id,
    name,
    roles.join(','),
    `since ${createdAt.toISOString()}`,
    ...(revokedAt === null ? [] : [`revoked ${revokedAt.toISOString()}`]),
  ].join('  ');
