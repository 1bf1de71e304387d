/** Credits to a sealed card: when its CVV is taken, what is submitted instead of it, and how it is registered at the gateway first. */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { destroyCard, insertCard, storeCvv } from '../../../ledger/cards/cards.js';
import type { RegistrationOutcome } from '../../../ledger/ledger.js';
import { createLedger } from '../../../ledger/postgres.js';
import {
  answer,
  creditOrder,
  ENTITY,
  gatewayId,
  LATE,
  lost,
  notSent,
  openedCard,
  paid,
  POLICY,
  sealedField,
  sent,
  TIMINGS,
  type LedgerUnderTest,
  type OpenedAs,
} from '../fixtures.js';

const DAY = 86_400_000;
const RESULT = { code: '000.100.110', description: 'from a test' };
const DECLINED = { kind: 'rejected', result: { code: '800.100.152', description: 'declined' } } as const;

export function describeCards(underTest: () => LedgerUnderTest): void {
  async function seal({ withCvv = true } = {}): Promise<string> {
    const cardRef = randomUUID();
    const card = {
      ...{ cardRef, brand: 'VISA', last4: '0000', initials: 'JD', formatVersion: 1 },
      fingerprint: randomBytes(32).toString('hex'),
      card: sealedField(),
      cvv: withCvv ? sealedField() : null,
    };
    await underTest().database.transaction((tx) =>
      insertCard(tx, card, 'shop', { maxAgeMs: 90 * DAY, graceMs: 7 * DAY }),
    );
    return cardRef;
  }
  const newCvv = (cardRef: string) =>
    underTest().database.transaction((tx) => storeCvv(tx, cardRef, sealedField()));
  const keysOf = async (cardRef: string) => {
    const keys = underTest().database.db.selectFrom('card_keys').select('field');
    return (await keys.where('card_id', '=', cardRef).orderBy('field').execute()).map(({ field }) => field);
  };
  const registrationOf = (cardRef: string) =>
    underTest()
      .database.db.selectFrom('card_registrations')
      .selectAll()
      .where('card_id', '=', cardRef)
      .executeTakeFirst();
  const moveRegistration = (cardRef: string, entityId: string) =>
    underTest()
      .database.db.updateTable('card_registrations')
      .set({ entity_id: entityId })
      .where('card_id', '=', cardRef)
      .execute();
  const sealedNow = (opened: OpenedAs) => openedCard(underTest().database, opened);
  const open = async (id: string, opened?: OpenedAs) =>
    underTest().ledger.openCredit(
      ...([id, null, TIMINGS, POLICY] as const),
      opened === undefined ? undefined : await sealedNow(opened),
    );

  async function approve(id: string): Promise<void> {
    const instruction = (await underTest().ledger.findRefund(id))?.instruction?.hash ?? expect.fail('none');
    await underTest().ledger.decide({
      ...{ refundId: id, instruction, verdict: 'approved', by: 'berta', reason: 'checked' },
    });
  }

  /** Returns an unlinked credit of 60.00 to the card that waits for an approver. */
  async function waiting(cardRef: string): Promise<string> {
    const { ledger } = underTest();
    const { request, ...rest } = creditOrder(6_000n);
    const asked = { ...rest, request: { ...request, destination: { cardRef } } };
    const { refund } = await ledger.accept(asked, { entityId: ENTITY, facts: null });
    expect((await open(refund.id)).verdict).toMatchObject({ kind: 'needs_approval' });
    return refund.id;
  }
  /** Returns an approved one, that is not submitted yet. */
  async function approved(cardRef: string): Promise<string> {
    const id = await waiting(cardRef);
    await approve(id);
    return id;
  }

  const inReview = async (id: string, why: string) => {
    const { ledger, openCases } = underTest();
    expect(await ledger.findRefund(id)).toMatchObject({ state: 'manual_review' });
    expect(await openCases(id)).toEqual([why]);
  };

  describe('a credit to a card', () => {
    it('shows its approver brand, last digits and initials', async () => {
      const cardRef = await seal();
      const id = await waiting(cardRef);
      const { instruction } = (await underTest().ledger.findRefund(id)) ?? expect.fail('no refund');
      expect(instruction?.destination).toEqual({ cardRef, brand: 'VISA', last4: '0000', initials: 'JD' });
    });

    it('has its card opened first, which changes nothing', async () => {
      const { ledger, events } = underTest();
      const cardRef = await seal();
      const id = await approved(cardRef);
      expect(await open(id)).toMatchObject({ kind: 'open_card', card: { cardRef }, entityId: ENTITY });
      const before = await events(id);
      expect(await open(id)).toMatchObject({ kind: 'open_card' });
      expect(await events(id)).toEqual(before);
      expect(await ledger.findRefund(id)).toMatchObject({ attempts: [] });
      expect(await keysOf(cardRef)).toEqual(['card', 'cvv']);
    });

    it('is opened together with the end of the key of its CVV, and is for this card', async () => {
      const { ledger, database } = underTest();
      const cardRef = await seal();
      const id = await approved(cardRef);
      const order = sent(await open(id, { cardRef, withCvv: true }));
      expect(order).toMatchObject({ operation: 'credit', cardRef, registrationId: null });
      expect(await keysOf(cardRef)).toEqual(['card']);
      const { fingerprint } = await database.db
        .selectFrom('cards')
        .select('fingerprint')
        .where('id', '=', cardRef)
        .executeTakeFirstOrThrow();
      const attempt = await database.db
        .selectFrom('attempts')
        .select(['card_id', 'destination_key', 'with_cvv', 'registration_id'])
        .where('refund_id', '=', id)
        .executeTakeFirstOrThrow();
      expect(attempt).toMatchObject({
        ...{ card_id: cardRef, destination_key: fingerprint, with_cvv: true, registration_id: null },
      });
      expect((await open(id, { cardRef, withCvv: true })).kind).toBe('resume');
      expect(await ledger.record(answer(order, paid()))).toMatchObject({ state: 'succeeded' });
    });

    it('whose transaction fails keeps the key of its CVV', async () => {
      const { database, ledger } = underTest();
      const cardRef = await seal();
      const id = await approved(cardRef);
      const dying = createLedger({
        ...database,
        transaction: (work) =>
          database.transaction(async (tx) => {
            await work(tx);
            throw new Error('at its end');
          }),
      });
      await expect(
        dying.openCredit(id, null, TIMINGS, POLICY, await sealedNow({ cardRef, withCvv: true })),
      ).rejects.toThrow('at its end');
      expect(await keysOf(cardRef)).toEqual(['card', 'cvv']);
      expect(await ledger.findRefund(id)).toMatchObject({ attempts: [] });
      sent(await open(id, { cardRef, withCvv: true }));
    });

    it('is checked again if its card has another CVV than it was opened with, or is another card', async () => {
      const [cardRef, other] = [await seal({ withCvv: false }), await seal({ withCvv: false })];
      const id = await approved(cardRef);
      expect(await open(id, { cardRef: other, withCvv: false })).toMatchObject({ card: { cardRef } });
      await newCvv(cardRef);
      const again = await open(id, { cardRef, withCvv: false });
      expect(again).toMatchObject({ kind: 'open_card', card: { cardRef } });
      expect(await keysOf(cardRef)).toEqual(['card', 'cvv']);
      expect((await underTest().ledger.findRefund(id))?.attempts).toEqual([]);
    });

    it('that never left is submitted again under its reference, but only with a new CVV', async () => {
      const { ledger } = underTest();
      const cardRef = await seal();
      const id = await approved(cardRef);
      const first = sent(await open(id, { cardRef, withCvv: true }));
      await ledger.record(answer(first, notSent));
      expect((await open(id, { cardRef, withCvv: true })).kind).toBe('resume');
      await inReview(id, 'cvv_needed');
      await newCvv(cardRef);
      await ledger.replay({ refundId: id, by: 'anna', reason: 'has the code' });
      expect((await open(id)).verdict).toMatchObject({ kind: 'needs_approval' });
      await approve(id);
      const second = sent(await open(id, { cardRef, withCvv: true }));
      expect(second).toMatchObject({ attemptId: first.attemptId, reference: first.reference });
      expect(await keysOf(cardRef)).toEqual(['card']);
    });

    it('that never left and had no CVV is submitted again at once', async () => {
      const cardRef = await seal({ withCvv: false });
      const id = await approved(cardRef);
      const first = sent(await open(id, { cardRef, withCvv: false }));
      await underTest().ledger.record(answer(first, notSent));
      expect(await open(id)).toMatchObject({ kind: 'open_card', card: { cvv: null } });
      const second = sent(await open(id, { cardRef, withCvv: false }));
      expect(second).toMatchObject({ attemptId: first.attemptId, reference: first.reference });
    });

    it('whose answer was lost is never opened again, with whatever CVV', async () => {
      const cardRef = await seal();
      const id = await approved(cardRef);
      await underTest().ledger.record(answer(sent(await open(id, { cardRef, withCvv: true })), lost));
      await newCvv(cardRef);
      expect((await open(id, { cardRef, withCvv: true })).kind).toBe('resume');
      expect(await underTest().ledger.findRefund(id)).toMatchObject({ state: 'unknown' });
      expect(await keysOf(cardRef)).toEqual(['card', 'cvv']);
    });

    it.each<[string, string, (cardRef: string) => Promise<unknown>]>([
      [
        'was destroyed',
        'card_destroyed',
        (cardRef) =>
          underTest().database.transaction((tx) => destroyCard(tx, cardRef, 'alice', 'by_operator')),
      ],
      [
        'has expired, although its keys are still there',
        'card_destroyed',
        (cardRef) =>
          underTest()
            .database.db.updateTable('cards')
            .set({ expires_at: new Date(Date.now() - 60_000) })
            .where('id', '=', cardRef)
            .execute(),
      ],
      [
        'has lost its key with a restored backup',
        'card_unreadable',
        (cardRef) => underTest().database.db.deleteFrom('card_keys').where('card_id', '=', cardRef).execute(),
      ],
      [
        'has a CVV that is older than a day',
        'cvv_needed',
        (cardRef) =>
          underTest()
            .database.db.updateTable('card_keys')
            .set({ sealed_at: new Date(Date.now() - DAY - 60_000) })
            .where('card_id', '=', cardRef)
            .where('field', '=', 'cvv')
            .execute(),
      ],
    ])('goes to an operator if its card %s: %s', async (_what, why, change) => {
      const cardRef = await seal();
      const id = await approved(cardRef);
      await change(cardRef);
      expect((await open(id, { cardRef, withCvv: true })).kind).toBe('resume');
      await inReview(id, why);
      expect((await underTest().ledger.findRefund(id))?.attempts).toEqual([]);
    });

    it('is not accepted for the card of another client, or a destroyed one', async () => {
      const { ledger, database } = underTest();
      const cardRef = await seal();
      const ask = (clientId: string) => {
        const { request, ...rest } = creditOrder(100n, { clientId });
        const asked = { ...rest, request: { ...request, destination: { cardRef } } };
        return ledger.accept(asked, { entityId: ENTITY, facts: null });
      };
      await expect(ask('other')).rejects.toMatchObject({ code: 'card_unknown' });
      await database.transaction((tx) => destroyCard(tx, cardRef, 'alice', 'by_operator'));
      await expect(ask('shop')).rejects.toMatchObject({ code: 'card_destroyed' });
    });
  });

  describe('registering a card', () => {
    const start = async (cardRef: string, withCvv = true) => {
      const opened = await underTest().ledger.openRegistration(
        await sealedNow({ cardRef, withCvv }),
        ENTITY,
        TIMINGS,
      );
      return opened.kind === 'send' ? opened.reference : expect.fail('nothing was to be sent');
    };
    const record = (id: string, cardRef: string, reference: string, outcome: RegistrationOutcome) =>
      underTest().ledger.recordRegistration(id, { cardRef, entityId: ENTITY, reference }, outcome);
    const registered = (registrationId: string = gatewayId()): RegistrationOutcome => ({
      ...{ kind: 'registered', registrationId, result: RESULT },
    });
    async function fixture({ withCvv = true } = {}) {
      const cardRef = await seal({ withCvv });
      return { cardRef, id: await approved(cardRef) };
    }
    async function proveAbsent(cardRef: string, reference: string): Promise<void> {
      const { ledger } = underTest();
      const open = { cardRef, entityId: ENTITY, reference };
      for (let count = 0; count < TIMINGS.notFoundNeeded; count += 1) {
        const at = new Date((await ledger.clock()).getTime() + LATE + count * (TIMINGS.notFoundSpacing + 1));
        const isOpen = await ledger.recordRegistrationNotFound({ ...open, at }, TIMINGS);
        expect(isOpen).toBe(count + 1 < TIMINGS.notFoundNeeded);
      }
    }

    it('stores its reference and ends the key of the CVV before a byte leaves; twice is once', async () => {
      const { cardRef, id } = await fixture();
      const reference = await start(cardRef);
      expect(await registrationOf(cardRef)).toMatchObject({ reference, state: 'submitting' });
      expect(await keysOf(cardRef)).toEqual(['card']);
      await newCvv(cardRef);
      expect(
        await underTest().ledger.openRegistration(
          await sealedNow({ cardRef, withCvv: true }),
          ENTITY,
          TIMINGS,
        ),
      ).toEqual({
        kind: 'check_again',
      });
      expect(await keysOf(cardRef)).toEqual(['card', 'cvv']);
      expect(await open(id)).toMatchObject({ kind: 'open_registration', registration: { reference } });
      expect((await underTest().ledger.findRefund(id))?.attempts).toEqual([]);
    });

    it('is not begun with a card as it is not sealed any more', async () => {
      const { cardRef } = await fixture();
      const begin = async (withCvv: boolean) =>
        underTest().ledger.openRegistration(await sealedNow({ cardRef, withCvv }), ENTITY, TIMINGS);
      expect(await begin(false)).toEqual({ kind: 'check_again' });
      await underTest().database.transaction((tx) => destroyCard(tx, cardRef, 'alice', 'by_operator'));
      expect(await begin(true)).toEqual({ kind: 'check_again' });
      expect(await registrationOf(cardRef)).toBeUndefined();
    });

    it('that succeeds destroys all keys, and the credit goes to the registration; twice the same is once', async () => {
      const { events } = underTest();
      const { cardRef, id } = await fixture();
      const reference = await start(cardRef);
      const registrationId = gatewayId();
      await record(id, cardRef, reference, registered(registrationId));
      expect(await keysOf(cardRef)).toEqual([]);
      const before = await events(id);
      expect(before.filter((type) => type === 'refund.card_registered')).toHaveLength(1);
      await record(id, cardRef, reference, registered(registrationId));
      await record(id, cardRef, reference, registered());
      await record(id, cardRef, reference, { kind: 'unknown' });
      await record(id, cardRef, reference, DECLINED);
      expect(await registrationOf(cardRef)).toMatchObject({
        ...{ state: 'registered', registration_id: registrationId },
      });
      expect(await events(id)).toEqual(before);
      expect(sent(await open(id))).toMatchObject({ registrationId, cardRef });
    });

    it.each(['unknown', 'submitting'] as const)(
      'that is %s is queried, and sent again under its reference only once it is proven absent',
      async (state) => {
        const { cardRef, id } = await fixture({ withCvv: false });
        const reference = await start(cardRef, false);
        if (state === 'unknown') await record(id, cardRef, reference, { kind: 'unknown' });
        expect(await open(id)).toMatchObject({ kind: 'open_registration', registration: { reference } });
        const { ledger } = underTest();
        const now = { cardRef, entityId: ENTITY, reference, at: await ledger.clock() };
        expect(await ledger.recordRegistrationNotFound(now, TIMINGS)).toBe(true);
        expect(await registrationOf(cardRef)).toMatchObject({ state, not_found_count: 0 });
        await proveAbsent(cardRef, reference);
        expect(await registrationOf(cardRef)).toMatchObject({ state: 'absent' });
        expect(await open(id)).toMatchObject({ kind: 'open_card' });
        expect(await start(cardRef, false)).toBe(reference);
        expect(await registrationOf(cardRef)).toMatchObject({ state: 'submitting', not_found_count: 0 });
      },
    );

    it('counts an absence once within the spacing, and none under another reference', async () => {
      const { ledger } = underTest();
      const { cardRef } = await fixture({ withCvv: false });
      const reference = await start(cardRef, false);
      const at = new Date((await ledger.clock()).getTime() + LATE);
      const missed = { cardRef, entityId: ENTITY, reference, at };
      for (let count = 0; count < 5; count += 1)
        expect(await ledger.recordRegistrationNotFound(missed, TIMINGS)).toBe(true);
      expect(await registrationOf(cardRef)).toMatchObject({ not_found_count: 1 });
      expect(await ledger.recordRegistrationNotFound({ ...missed, reference: 'other' }, TIMINGS)).toBe(false);
      expect(await registrationOf(cardRef)).toMatchObject({ not_found_count: 1, state: 'unknown' });
    });

    it('whose answer comes after its absence was proven is recorded', async () => {
      const { cardRef, id } = await fixture();
      const reference = await start(cardRef);
      await proveAbsent(cardRef, reference);
      const registrationId = gatewayId();
      await record(id, cardRef, reference, registered(registrationId));
      expect(await keysOf(cardRef)).toEqual([]);
      expect(sent(await open(id))).toMatchObject({ registrationId });
    });

    it('that is declined begins again under another reference, and an answer under the first is not recorded', async () => {
      const { cardRef, id } = await fixture({ withCvv: false });
      const first = await start(cardRef, false);
      await record(id, cardRef, first, DECLINED);
      expect(await registrationOf(cardRef)).toMatchObject({ state: 'rejected', result_code: '800.100.152' });
      expect(await keysOf(cardRef)).toEqual(['card']);
      expect(await open(id)).toMatchObject({ kind: 'open_card' });
      const second = await start(cardRef, false);
      expect(second).not.toBe(first);
      await record(id, cardRef, first, registered());
      expect(await registrationOf(cardRef)).toMatchObject({ reference: second, state: 'submitting' });
    });

    it('of an entity is not the registration of another one', async () => {
      const { cardRef, id } = await fixture({ withCvv: false });
      await start(cardRef, false);
      await moveRegistration(cardRef, 'f'.repeat(32));
      expect(await open(id)).toMatchObject({ kind: 'open_card', entityId: ENTITY });
    });
  });
}
