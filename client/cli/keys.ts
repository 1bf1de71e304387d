/** The commands `keys create`, `keys revoke` and `keys list`: API keys. */
import { looksLikeCard } from '../../domain/card/card-number.js';
import { NAME_RULE, readName } from '../../domain/names.js';
import type { Role } from '../../domain/principal.js';
import { createApiKey, listApiKeys, revokeApiKey, type ApiKeyRecord } from '../../ledger/access/api-keys.js';
import { migrate } from '../../ledger/db/migrate.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import type { Screen } from './screen.js';
import { run, printError, type OutputOptions } from './session.js';
import { table, type Column } from './table.js';
import { toTheMinute } from './text.js';

export interface CreateOptions extends OutputOptions {
  readonly name?: string | undefined;
  readonly role?: readonly Role[] | undefined;
}

/** Creates a key and prints its text on stdout, once: only a hash of it is stored. */
export function create(options: CreateOptions): Promise<ExitCode> {
  const { name, role: roles = [], json } = options;
  const problems = [
    ...(name === undefined ? [{ field: '--name', code: 'missing', message: 'is missing' }] : []),
    ...(name !== undefined && (readName(name) === undefined || looksLikeCard(name))
      ? [{ field: '--name', code: 'invalid', message: NAME_RULE }]
      : []),
    ...(roles.length === 0 ? [{ field: '--role', code: 'missing', message: 'is missing' }] : []),
  ];
  if (name === undefined || problems.length > 0)
    return Promise.resolve(printError(json === true, new WrongUse(problems)));
  return run(options, async ({ settings, database, print, note }) => {
    // A new installation may create a key before any process has migrated the database.
    await migrate(settings.databaseUrl);
    const { key, text } = await createApiKey(database, { name, roles });
    note(`key ${key.id} of ${key.name} (${key.roles.join(', ')}); its text is printed only now`);
    print({ ...viewOf(key), key: text.reveal() }, () => text.reveal());
    return EXIT.done;
  });
}

export function revoke(id: string, options: OutputOptions): Promise<ExitCode> {
  return run(options, async ({ database, json, screen, print, note }) => {
    const key = await revokeApiKey(database, id);
    if (key === null) {
      note(
        json
          ? JSON.stringify({ error: { code: 'key_not_found', message: 'there is no such key' } })
          : 'key_not_found: there is no such key',
      );
      return EXIT.failed;
    }
    print(viewOf(key), () => keysText([viewOf(key)], screen));
    return EXIT.done;
  });
}

export function list(options: OutputOptions): Promise<ExitCode> {
  return run(options, async ({ database, screen, print }) => {
    const keys = (await listApiKeys(database)).map(viewOf);
    print(keys, () => keysText(keys, screen));
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

type Key = ReturnType<typeof viewOf>;

const KEYS: readonly Column<Key>[] = [
  { title: 'key', text: ({ id }) => id },
  { title: 'name', text: ({ name }) => name, wraps: true },
  { title: 'roles', text: ({ roles }) => roles.join(',') },
  { title: 'created', text: ({ createdAt }) => createdAt, shorter: toTheMinute, beneath: 1 },
  {
    title: 'revoked',
    text: ({ revokedAt }) => revokedAt ?? '',
    tone: () => 'bad',
    shorter: toTheMinute,
    beneath: 1,
  },
];

export const keysText = (keys: readonly Key[], screen: Screen): string =>
  keys.length === 0 ? 'no keys' : table(KEYS, keys, screen);
