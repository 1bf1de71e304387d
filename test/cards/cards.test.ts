/** Rows of sealed cards: used, destroyed, expired, and restored without their keys. */
import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import { describe, expect, it } from 'vitest';
import { destroyCard, lockCard, readSealedCard, storeCvv, takeCvv } from '../../ledger/cards/cards.js';
import { postgresLedger } from '../ledger/postgres.js';
import { CARD, CVV, storedCard, vaultOf } from './fixtures.js';

const { database } = await postgresLedger();
const { db } = database;
const vault = vaultOf();
const read = (cardRef: string) => database.transaction((tx) => readSealedCard(tx, cardRef));
const stored = (cvv?: string) =>
  storedCard(database, vault, { ...CARD, ...(cvv === undefined ? {} : { cvv }) });

async function opened(cardRef: string) {
  const found = await read(cardRef);
  if (found.kind !== 'sealed') return found.kind;
  return (await vault.opener.open(found.sealed)).reveal();
}

describe('a stored card', () => {
  it('opens as it was sealed', async () => {
    expect(await opened(await stored())).toEqual(CARD);
    expect(await opened(await stored(CVV))).toEqual({ ...CARD, cvv: CVV });
  });

  it('opens without a CVV that was used, and with a new one', async () => {
    const cardRef = await stored(CVV);
    await database.transaction((tx) => takeCvv(tx, cardRef));
    expect(await opened(cardRef)).toEqual(CARD);
    const fresh = await vault.sealer.sealCvv(cardRef, 1, '111');
    await database.transaction((tx) => storeCvv(tx, cardRef, fresh));
    expect(await opened(cardRef)).toEqual({ ...CARD, cvv: '111' });
  });

  it('opens without a CVV that is a day old', async () => {
    const cardRef = await stored(CVV);
    await sql`update card_keys set sealed_at = now() - interval '24 hours' where card_id = ${cardRef}`.execute(
      db,
    );
    expect(await opened(cardRef)).toEqual(CARD);
  });

  it('is destroyed with its keys', async () => {
    const cardRef = await stored(CVV);
    await database.transaction(async (tx) => {
      await lockCard(tx, cardRef, 'update');
      await destroyCard(tx, cardRef, 'ops', 'by_operator');
    });
    expect(await read(cardRef)).toMatchObject({
      kind: 'destroyed',
      why: 'by_operator',
      row: { destroyed_by: 'ops' },
    });
    expect(await db.selectFrom('card_keys').selectAll().where('card_id', '=', cardRef).execute()).toEqual([]);
  });

  it('counts as destroyed when its time is over', async () => {
    const cardRef = await stored();
    await sql`update cards set expires_at = now() where id = ${cardRef}`.execute(db);
    expect(await read(cardRef)).toMatchObject({ kind: 'destroyed', why: 'expired' });
  });

  it('is unknown under any other reference', async () => {
    expect(await read(uuid())).toEqual({ kind: 'unknown' });
    expect(await read('not-a-reference')).toEqual({ kind: 'unknown' });
  });
});

describe('a ledger restored without card_keys', () => {
  it('opens no card', async () => {
    const cardRef = await stored(CVV);
    await sql`create table dumped as select * from cards where id = ${cardRef}`.execute(db);
    await sql`delete from card_keys where card_id = ${cardRef}`.execute(db);
    await sql`delete from cards where id = ${cardRef}`.execute(db);
    await sql`insert into cards select * from dumped`.execute(db);
    const found = await read(cardRef);
    expect(found).toMatchObject({ kind: 'no_key', row: { last4: '0042' } });
    // The key of any other card, under the same key-encryption key, does not open it either.
    const other = await read(await stored(CVV));
    if (found.kind !== 'no_key' || other.kind !== 'sealed') throw new Error('not as expected');
    const forged = { ...other.sealed.card, sealed: found.row.sealed };
    await expect(
      vault.opener.open({ cardRef, formatVersion: 1, card: forged, cvv: null }),
    ).rejects.toMatchObject({ name: 'CardUnreadable' });
  });
});
