/** Checks at the start of a process that its keys are those that sealed the cards: a lost or wrong key is named, and nothing starts. */
import { sql } from 'kysely';
import type { Secret } from '../../domain/secret.js';
import type { Database, Tx } from '../db/database.js';
import { checkValueOf } from './local-keys.js';
import type { KeyProvider } from './key-provider.js';

/** Name of the fingerprint key among the check values. No key-encryption key can have it. */
export const FINGERPRINT_KEY = '(fingerprint)';

/** Thrown when keys are missing or other ones than before. The message names them and says what to do. */
export class CardKeysWrong extends Error {
  override readonly name = 'CardKeysWrong';
}

const LOST_KEY_HELP =
  'Give the key back under its id. If it is lost for ever, `oppwa-refunds cards purge --lost-key ID` destroys the cards that it sealed';

/** Throws `CardKeysWrong`. Without a provider there may be no sealed card. Stores the check value of each key that is new. */
export async function checkKeys(
  database: Database,
  keys: { readonly provider: KeyProvider; readonly fingerprintKey: Secret<Uint8Array> } | undefined,
): Promise<void> {
  const wrong = await database.transaction(async (tx) => [
    ...(keys === undefined ? [] : await changed(tx, checkValues(keys))),
    ...(await missing(tx, keys?.provider.keyIds ?? [])),
  ]);
  if (wrong.length > 0) throw new CardKeysWrong([...wrong, `${LOST_KEY_HELP}.`].join('. '));
}

type CheckValue = readonly [keyId: string, value: Uint8Array];

function checkValues(keys: {
  readonly provider: KeyProvider;
  readonly fingerprintKey: Secret<Uint8Array>;
}): readonly CheckValue[] {
  const { provider, fingerprintKey } = keys;
  return [
    [FINGERPRINT_KEY, checkValueOf(fingerprintKey.reveal())],
    ...provider.keyIds.flatMap((id): CheckValue[] => {
      const value = provider.checkValue(id);
      return value === undefined ? [] : [[id, value]];
    }),
  ];
}

async function changed(tx: Tx, values: readonly CheckValue[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [keyId, value] of values) {
    await sql`insert into card_key_checks (key_id, value) values (${keyId}, ${value}) on conflict do nothing`.execute(
      tx,
    );
    const { rows } = await sql<{ value: Buffer }>`
      select value from card_key_checks where key_id = ${keyId}`.execute(tx);
    if (rows[0]?.value.equals(value) === true) continue;
    wrong.push(
      keyId === FINGERPRINT_KEY
        ? 'The fingerprint key of cards is another one than before: limits would not find earlier credits to a card'
        : `The key ${keyId} of cards is another one than before under the same id`,
    );
  }
  return wrong;
}

async function missing(tx: Tx, keyIds: readonly string[]): Promise<readonly string[]> {
  const found = await tx
    .selectFrom('card_keys')
    .select(['kek_id', ({ fn }) => fn.countAll<string>().as('count')])
    .groupBy('kek_id')
    .orderBy('kek_id')
    .execute();
  return found
    .filter(({ kek_id }) => !keyIds.includes(kek_id))
    .map(({ kek_id, count }) => `The key ${kek_id} sealed ${count} keys of cards and is not configured`);
}

/** Deletes the check value of a key that is lost or was replaced on purpose. */
export async function deleteKeyCheck(tx: Tx, keyId: string): Promise<void> {
  await sql`delete from card_key_checks where key_id = ${keyId}`.execute(tx);
}
