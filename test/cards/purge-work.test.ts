/** The purge of cards reads each card's own refunds, however many others there are. */
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { isInUse } from '../../ledger/cards/card-views.js';
import { purgeCards } from '../../ledger/cards/purge-cards.js';
import { CARD_CHECKS } from '../../ledger/maintenance/card-checks.js';
import { postgresLedger } from '../ledger/postgres.js';
import { storedCard, vaultOf } from './fixtures.js';

const { database } = await postgresLedger();

const CARDS = 300;
const OTHERS = 30_000;
/** Milliseconds. Reading all refunds for each card takes minutes. */
const SHORT = 5_000;

it('destroys used cards among many cards and refunds in a short time', async () => {
  const cardRef = await storedCard(database, vaultOf());
  await database.transaction(async (tx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(tx);
    await sql`
      INSERT INTO cards (id, client_id, brand, last4, initials, fingerprint, format_version, sealed, expires_at, grace_ms)
      SELECT gen_random_uuid(), client_id, brand, last4, initials, fingerprint, format_version, sealed, expires_at, grace_ms
      FROM cards, generate_series(1, ${CARDS})`.execute(tx);
    await sql`
      INSERT INTO card_keys (card_id, field, kek_id, wrapped)
      SELECT id, 'card', 'k1', 'x' FROM cards WHERE id <> ${cardRef}`.execute(tx);
    await sql`
      INSERT INTO refunds (id, payment_id, client_id, idempotency_key, fingerprint, amount_minor, currency, reason,
        requested_by, destination, state, state_since)
      SELECT gen_random_uuid(), 'payment ' || n, 'shop', 'key ' || n, '', 1, 'EUR', 'r', 'anna',
        CASE WHEN n = 1 THEN jsonb_build_object('cardRef', ${cardRef}::text) END, 'succeeded', now() - interval '30 days'
      FROM generate_series(1, ${OTHERS}) AS n`.execute(tx);
  });
  await sql`ANALYZE`.execute(database.db);
  const begin = performance.now();
  expect(await isInUse(database.db, cardRef)).toBe(false);
  for (const { wrong } of CARD_CHECKS) await wrong.execute(database.db);
  expect(await purgeCards(database)).toEqual({ cvvs: 0, expired: 0, used: 1 });
  const took = performance.now() - begin;
  expect(took).toBeLessThan(SHORT);
});
