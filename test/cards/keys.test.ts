/** Keys of cards over time: purged, wrapped again, lost, replaced, and checked at the start of a process. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { destroyCardByHand } from '../../client/cards.js';
import { cardState } from '../../ledger/cards/card-state.js';
import { readSealedCard } from '../../ledger/cards/cards.js';
import { checkKeys } from '../../ledger/cards/key-checks.js';
import type { KeyProvider } from '../../ledger/cards/key-provider.js';
import { purgeCards, purgeLostKey } from '../../ledger/cards/purge-cards.js';
import { rewrap } from '../../ledger/cards/rewrap.js';
import { CARD_CHECKS } from '../../ledger/maintenance/card-checks.js';
import { accepted, debit } from '../ledger/fixtures.js';
import { postgresLedger } from '../ledger/postgres.js';
import { newKey } from '../support/card-keys.js';
import { CARD, CVV, FINGERPRINT_KEY, storedCard, vaultOf } from './fixtures.js';

const { ledger, database } = await postgresLedger();
const { db } = database;
const k1 = newKey('k1');
const vault = vaultOf(k1);
const stored = (cvv?: string, one = vault) =>
  storedCard(database, one, { ...CARD, ...(cvv === undefined ? {} : { cvv }) });
const read = (cardRef: string) => database.transaction((tx) => readSealedCard(tx, cardRef));
const kindOf = async (cardRef: string) => {
  const found = await read(cardRef);
  return found.kind === 'destroyed' ? found.why : found.kind;
};
const keysOf = async (cardRef: string) =>
  (
    await db.selectFrom('card_keys').selectAll().where('card_id', '=', cardRef).orderBy('field').execute()
  ).map(({ field, kek_id }) => `${field} ${kek_id}`);

/** Stores a refund that names the card, and is in this state for so many days. */
async function refundWith(cardRef: string, state: string, days: number): Promise<void> {
  const id = await accepted(ledger, debit(), 1_000n);
  await sql`update refunds set destination = ${JSON.stringify({ cardRef })}::jsonb, state = ${state},
    state_since = now() - ${days} * interval '1 day' where id = ${id}`.execute(db);
}
const violations = async (): Promise<readonly string[]> =>
  (await Promise.all(CARD_CHECKS.map(({ wrong }) => sql<{ what: string }>`${wrong}`.execute(db)))).flatMap(
    ({ rows }) => rows.map(({ what }) => what),
  );

describe('the purge', () => {
  it('destroys what is over, keeps the rest, and leaves nothing for the audit to find', async () => {
    const [oldCvv, freshCvv, expired, unused] = [
      await stored(CVV),
      await stored(CVV),
      await stored(CVV),
      await stored(),
    ];
    const [used, recent, waiting, again] = [await stored(), await stored(), await stored(), await stored()];
    await sql`update card_keys set sealed_at = now() - interval '27 hours' where card_id = ${oldCvv}`.execute(
      db,
    );
    await sql`update cards set expires_at = now() - interval '3 hours' where id = ${expired}`.execute(db);
    await refundWith(used, 'succeeded', 8);
    await refundWith(recent, 'succeeded', 6);
    await refundWith(waiting, 'review', 80);
    await refundWith(again, 'succeeded', 80);
    await refundWith(again, 'pending', 0);
    expect((await violations()).map((what) => what.slice(0, 41)).sort()).toEqual(
      [`card ${oldCvv}`, `card ${expired}`, `card ${used}`].sort(),
    );
    expect(await purgeCards(database)).toEqual({ cvvs: 1, expired: 1, used: 1 });
    expect(await violations()).toEqual([]);
    expect(await keysOf(oldCvv)).toEqual(['card k1']);
    expect(await keysOf(freshCvv)).toEqual(['card k1', 'cvv k1']);
    expect(await Promise.all([expired, used, unused, recent, waiting, again].map(kindOf))).toEqual([
      'expired',
      'used',
      'sealed',
      'sealed',
      'sealed',
      'sealed',
    ]);
    expect(await purgeCards(database)).toEqual({ cvvs: 0, expired: 0, used: 0 });
  });

  it('takes no card that a refund is just being accepted with', async () => {
    const cardRef = await stored();
    await refundWith(cardRef, 'succeeded', 30);
    await database.transaction(async (tx) => {
      expect(await cardState(tx, cardRef, 'shop')).toBe('usable');
      expect(await purgeCards(database)).toMatchObject({ used: 0 });
    });
    expect(await purgeCards(database)).toMatchObject({ used: 1 });
  });
});

describe('destroying and accepting at once', () => {
  it('ends with a destroyed card or a refund that can use it, never with both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const cardRef = await stored();
      const id = await accepted(ledger, debit(), 1_000n);
      const accept = database.transaction(async (tx) => {
        if ((await cardState(tx, cardRef, 'shop')) !== 'usable') return false;
        await sql`update refunds set destination = ${JSON.stringify({ cardRef })}::jsonb where id = ${id}`.execute(
          tx,
        );
        return true;
      });
      const destroy = destroyCardByHand(database, cardRef, 'ops').then(
        () => true,
        () => false,
      );
      const [isAccepted, isDestroyed] = await Promise.all([accept, destroy]);
      expect(isAccepted).toBe(!isDestroyed);
      expect(await kindOf(cardRef)).toBe(isDestroyed ? 'by_operator' : 'sealed');
    }
  });
});

describe('wrapping keys again', () => {
  it('continues after an interruption, skips what does not open, and lets the old key go', async () => {
    await sql`delete from card_keys`.execute(db);
    const cards = await Promise.all(Array.from({ length: 5 }, () => stored(CVV)));
    const foreign = await stored(undefined, vaultOf(newKey('k1')));
    const { provider, opener } = vaultOf(newKey('k2'), k1);
    let calls = 0;
    const failing: KeyProvider = {
      ...provider,
      wrap: async (...args) => {
        calls += 1;
        if (calls > 4) throw new Error('unreachable');
        return provider.wrap(...args);
      },
    };
    await expect(rewrap(database, failing)).rejects.toThrow('unreachable');
    const counts: number[] = [];
    const done = await rewrap(database, provider, ({ rewrapped }) => counts.push(rewrapped));
    expect(done).toEqual({ rewrapped: 6, unreadable: 1, left: 1 });
    expect(counts).toEqual([6]);
    expect(await keysOf(foreign)).toEqual(['card k1']);
    for (const cardRef of cards) {
      expect(await keysOf(cardRef)).toEqual(['card k2', 'cvv k2']);
      const found = await read(cardRef);
      if (found.kind !== 'sealed') throw new Error(found.kind);
      expect((await opener.open(found.sealed)).reveal()).toEqual({ ...CARD, cvv: CVV });
    }
  });
});

describe('the check at the start', () => {
  const check = (...keys: readonly ReturnType<typeof newKey>[]) =>
    checkKeys(database, { provider: vaultOf(...keys).provider, fingerprintKey: FINGERPRINT_KEY });

  it('names a key that is missing, changed, or lost, until its cards are purged', async () => {
    await sql`delete from card_keys`.execute(db);
    const [a, b] = [newKey('a'), newKey('b')];
    await check(a, b);
    const cardRef = await stored(CVV, vaultOf(a));
    await check(b, a);
    await expect(check(b)).rejects.toThrow(/The key a sealed 2 keys of cards and is not configured/);
    await expect(checkKeys(database, undefined)).rejects.toThrow(/key a /);
    await expect(check(newKey('a'), b)).rejects.toThrow(/The key a of cards is another one than before/);
    const fingerprint = newKey('f').key;
    await expect(
      checkKeys(database, { provider: vaultOf(a).provider, fingerprintKey: fingerprint }),
    ).rejects.toThrow(/fingerprint key/);
    expect(await purgeLostKey(database, 'a', 'ops')).toBe(1);
    expect(await kindOf(cardRef)).toBe('key_lost');
    await check(newKey('a'), b);
    await checkKeys(database, undefined);
  });
});
