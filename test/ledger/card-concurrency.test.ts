/** Credits to one card at once: its security code is submitted once, and however often it is sealed, it is one destination. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Policy } from '../../domain/refund/config.js';
import { insertCard } from '../../ledger/cards/cards.js';
import {
  creditOrder,
  ENTITY,
  openedCard,
  POLICY,
  sealedField,
  sent,
  TIMINGS,
  type OpenedAs,
} from './fixtures.js';
import { postgresLedger } from './postgres.js';

const { ledger, database, violations } = await postgresLedger(20);
const DAY = 86_400_000;
const LIMITED: Policy = { ...POLICY, creditLimitPerDestination: { EUR: '8000' } };
const ABOVE = 'above_limit_to_destination';

afterEach(async () => {
  expect(await violations()).toEqual([]);
});

const newFingerprint = () => randomBytes(32).toString('hex');

async function seal(fingerprint: string, { withCvv = false } = {}): Promise<string> {
  const cardRef = randomUUID();
  const card = {
    ...{ cardRef, brand: 'VISA', last4: '0000', initials: 'JD', fingerprint, formatVersion: 1 },
    ...{ card: sealedField(), cvv: withCvv ? sealedField() : null },
  };
  await database.transaction((tx) => insertCard(tx, card, 'shop', { maxAgeMs: 90 * DAY, graceMs: 7 * DAY }));
  return cardRef;
}

/** Accepts an unlinked credit of 60.00 to the card, by a requester of its own. */
async function accepted(cardRef: string): Promise<string> {
  const { request, ...rest } = creditOrder(6_000n, { requestedBy: `asker ${randomUUID()}` });
  const asked = { ...rest, request: { ...request, destination: { cardRef } } };
  return (await ledger.accept(asked, { entityId: ENTITY, facts: null })).refund.id;
}

const open = async (id: string, opened?: OpenedAs) =>
  ledger.openCredit(
    ...([id, null, TIMINGS, LIMITED] as const),
    opened === undefined ? undefined : await openedCard(database, opened),
  );

async function approve(id: string): Promise<void> {
  const instruction = (await ledger.findRefund(id))?.instruction?.hash ?? expect.fail('none');
  await ledger.decide({
    ...{ refundId: id, instruction, verdict: 'approved', by: 'berta', reason: 'checked' },
  });
}

const keysOf = (cardRef: string) =>
  database.db.selectFrom('card_keys').select('field').where('card_id', '=', cardRef).execute();

describe('one security code', () => {
  it.each([1, 2, 3, 4, 5])('is submitted by one of four credits at once (round %i)', async () => {
    const cardRef = await seal(newFingerprint(), { withCvv: true });
    const ids = await Promise.all(Array.from({ length: 4 }, () => accepted(cardRef)));
    for (const id of ids) {
      await open(id);
      await approve(id);
    }
    const opened = await Promise.all(ids.map((id) => open(id, { cardRef, withCvv: true })));
    expect(opened.map(({ kind }) => kind).sort()).toEqual(['resume', 'resume', 'resume', 'send']);
    expect(await keysOf(cardRef)).toEqual([{ field: 'card' }]);
    const records = await Promise.all(ids.map((id) => ledger.findRefund(id)));
    expect(records.map((record) => record?.state).sort()).toEqual([
      ...['manual_review', 'manual_review', 'manual_review'],
      'submitting',
    ]);
    const cases = await database.db
      .selectFrom('cases')
      .select('why')
      .where('refund_id', 'in', ids)
      .where('closed_at', 'is', null)
      .execute();
    expect(cases.map(({ why }) => why)).toEqual(['cvv_needed', 'cvv_needed', 'cvv_needed']);
  });
});

describe('one card that was sealed eight times', () => {
  it('is credited by none of eight credits at once without an approval', async () => {
    const fingerprint = newFingerprint();
    const cards = await Promise.all(Array.from({ length: 8 }, () => seal(fingerprint)));
    const credits = await Promise.all(
      cards.map(async (cardRef) => ({ cardRef, id: await accepted(cardRef) })),
    );
    const opened = await Promise.all(credits.map(({ id, cardRef }) => open(id, { cardRef, withCvv: false })));
    expect(opened.map(({ verdict }) => verdict?.kind)).toEqual(credits.map(() => 'needs_approval'));
    for (const { id } of credits) expect((await ledger.findRefund(id))?.attempts).toEqual([]);
  });

  it('is one destination for the limit, and another card is another one', async () => {
    const fingerprint = newFingerprint();
    const [first, second, other] = [
      await seal(fingerprint),
      await seal(fingerprint),
      await seal(newFingerprint()),
    ];
    const id = await accepted(first);
    await open(id);
    await approve(id);
    const { attemptId } = sent(await open(id, { cardRef: first, withCvv: false }));
    const reasons = async (cardRef: string) => {
      const { verdict } = await open(await accepted(cardRef));
      return verdict?.kind === 'needs_approval' ? verdict.why : expect.fail(String(verdict?.kind));
    };
    // An approved credit does not count.
    expect(await reasons(second)).not.toContain(ABOVE);
    const count = (approved: boolean) =>
      database.db.updateTable('attempts').set({ approved }).where('id', '=', attemptId).execute();
    await count(false);
    expect(await reasons(second)).toContain(ABOVE);
    expect(await reasons(other)).not.toContain(ABOVE);
    await count(true);
  });
});
