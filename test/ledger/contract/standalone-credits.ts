/** Standalone credits: against a payment within its balance, or unlinked and approved by a second operator. */
import { describe, expect, it } from 'vitest';
import type { CreditBlock } from '../../../domain/refund/credit-guard.js';
import type { OriginalFacts } from '../../../domain/payment/original.js';
import { LedgerError } from '../../../ledger/ledger.js';
import {
  answer,
  creditOrder,
  debit,
  ENTITY,
  lost,
  openLinked,
  order,
  paid,
  refused,
  seen,
  sent,
  submitted,
  creditsOn,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeDirectCredits(underTest: () => LedgerUnderTest): void {
  const openCredit = creditsOn(underTest);
  const approve = async (id: string, by = 'berta') => {
    const instruction = (await underTest().ledger.findRefund(id))?.instruction?.hash ?? expect.fail('none');
    return underTest().ledger.decide({
      refundId: id,
      instruction,
      verdict: 'approved',
      by,
      reason: 'checked',
    });
  };

  describe('a standalone credit on a payment', () => {
    /** The payment's own registration, so that no approval is needed. */
    async function asked(minor = 6_000n, facts = debit()) {
      const order = creditOrder(minor, { paymentId: facts.id });
      const request = { ...order.request, destination: { registrationId: facts.registrationId ?? '' } };
      const { refund } = await underTest().ledger.accept({ ...order, request }, { entityId: ENTITY, facts });
      return { id: refund.id, facts, order: { ...order, request } };
    }

    it('reserves its amount on the payment, and nothing is ever submitted on the original', async () => {
      const { ledger } = underTest();
      const { id, facts } = await asked();
      expect(await ledger.findPayment(facts.id)).toMatchObject({ reservedMinor: 6_000n });
      const opened = await openLinked(ledger, id);
      expect(opened).toMatchObject({ kind: 'resume', snapshot: { state: 'reserved', askedFor: 'credit' } });
      const credit = sent(await openCredit(id, facts));
      expect(credit).toMatchObject({ operation: 'credit', originalId: null, amountMinor: 6_000n });
      await ledger.record(answer(credit, paid()));
      expect(await ledger.findPayment(facts.id)).toMatchObject({ reservedMinor: 0n, succeededMinor: 6_000n });
      expect(await ledger.findRefund(id)).toMatchObject({
        askedFor: 'credit',
        isUnlinkedCredit: false,
        paymentId: facts.id,
        state: 'succeeded',
      });
    });

    it('cannot exceed what refunds left, and leaves them only the rest', async () => {
      const { ledger } = underTest();
      const { facts } = await asked();
      for (const more of [creditOrder(4_001n, { paymentId: facts.id }), order(facts.id, 4_001n)])
        await expect(ledger.accept(more, null)).rejects.toMatchObject({
          code: 'exceeds_refundable',
          details: { refundable: '40.00' },
        });
    });

    it('is the same request only as a credit: a refund with its key is refused', async () => {
      const { ledger } = underTest();
      const { id, order: first, facts } = await asked();
      const again = await ledger.accept(first, null);
      expect(again).toMatchObject({ isNew: false, refund: { id } });
      const destination = facts.registrationId ?? '';
      const { idempotencyKey } = first;
      const refund = order(facts.id, 6_000n, { destination, idempotencyKey });
      await expect(ledger.accept(refund, null)).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    });

    it('waits for a refund on the same payment with an open outcome', async () => {
      const { ledger } = underTest();
      const { id, facts } = await asked();
      const { refund } = await ledger.accept(order(facts.id, 1_000n), null);
      await ledger.record(answer(await submitted(ledger, refund.id), lost));
      expect((await openCredit(id, facts)).verdict).toEqual({ kind: 'wait' });
    });

    it.each<[CreditBlock, (facts: OriginalFacts) => Partial<OriginalFacts>]>([
      [
        'disputed',
        () => ({
          disputes: [
            { id: 'c'.repeat(32), amountMinor: 9_000n, reversedMinor: 0n, state: 'succeeded' as const },
          ],
        }),
      ],
      ['original_not_captured', () => ({ state: 'pending' })],
    ])('is blocked by the payment: %s', async (block, change) => {
      const { id, facts } = await asked();
      const { verdict } = await openCredit(id, { ...facts, ...change(facts) });
      if (verdict?.kind !== 'denied') expect.fail('it was not denied');
      expect(verdict.why).toContain(block);
      expect(await underTest().ledger.findRefund(id)).toMatchObject({ state: 'manual_review', attempts: [] });
    });

    it('to another registration needs an approval', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const { refund } = await ledger.accept(creditOrder(100n, { paymentId: facts.id }), {
        entityId: ENTITY,
        facts,
      });
      expect((await openCredit(refund.id, facts)).verdict).toEqual({
        kind: 'needs_approval',
        why: ['other_destination'],
      });
      expect(await approve(refund.id, 'anna')).toMatchObject({
        kind: 'refused',
        why: 'requester_cannot_decide',
      });
      await approve(refund.id);
      expect(sent(await openCredit(refund.id, facts))).toMatchObject({ registrationId: 'd'.repeat(32) });
    });
  });

  describe('an unlinked credit', () => {
    async function asked(minor = 6_000n) {
      const order = creditOrder(minor);
      const { refund } = await underTest().ledger.accept(order, { entityId: ENTITY, facts: null });
      return { id: refund.id, order };
    }
    async function approved(minor = 6_000n) {
      const { id } = await asked(minor);
      await openCredit(id, null);
      await approve(id);
      return { id, credit: sent(await openCredit(id, null)) };
    }

    it('is linked to no payment, and is never submitted before an operator approved it', async () => {
      const { ledger } = underTest();
      const { id } = await asked(1n);
      expect(await ledger.scope(id)).toMatchObject({ paymentId: null, entityId: ENTITY, currency: 'EUR' });
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      expect((await openCredit(id, null)).verdict).toEqual({
        kind: 'needs_approval',
        why: ['unlinked'],
      });
      expect((await openCredit(id, null)).kind).toBe('resume');
      expect(await approve(id, 'anna')).toMatchObject({ kind: 'refused', why: 'requester_cannot_decide' });
      await approve(id);
      expect(sent(await openCredit(id, null))).toMatchObject({ operation: 'credit', amountMinor: 1n });
    });

    it('that is paid ends; the same answer again changes nothing', async () => {
      const { ledger } = underTest();
      const { id, credit } = await approved();
      const outcome = paid();
      await ledger.record(answer(credit, outcome));
      await ledger.record(seen(credit, outcome));
      expect(await ledger.findRefund(id)).toMatchObject({
        askedFor: 'credit',
        isUnlinkedCredit: true,
        state: 'succeeded',
        attempts: [{ operation: 'credit', state: 'succeeded' }],
      });
    });

    it('that is declined ends unpaid with nothing reserved, and is not submitted again', async () => {
      const { ledger } = underTest();
      const { id, credit } = await approved();
      await ledger.record(answer(credit, refused('issuer_declined')));
      expect((await openCredit(id, null)).kind).toBe('resume');
      await ledger.giveUp(id, 'credit_declined', 'system');
      expect(await ledger.findRefund(id)).toMatchObject({ state: 'failed' });
    });

    it('whose answer was lost is queried by its reference only', async () => {
      const { ledger } = underTest();
      const { id, credit } = await approved();
      await ledger.record(answer(credit, lost));
      expect(await ledger.queryTarget(id)).toMatchObject({ paymentId: null, reference: credit.reference });
      expect((await openCredit(id, null)).kind).toBe('resume');
      expect(await ledger.findRefund(id)).toMatchObject({ state: 'unknown' });
    });

    it('is stored once for each key, however often it is requested', async () => {
      const { ledger } = underTest();
      const order = creditOrder(6_000n);
      const source = { entityId: ENTITY, facts: null };
      const all = await Promise.all(Array.from({ length: 10 }, () => ledger.accept(order, source)));
      expect(new Set(all.map(({ refund }) => refund.id)).size).toBe(1);
      expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
      const more = { ...order, request: creditOrder(6_001n).request };
      await expect(ledger.accept(more, source)).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    });

    it('is no payment: nothing can be refunded on it', async () => {
      const { ledger } = underTest();
      const { id } = await asked();
      const row = (await ledger.findRefund(id))?.paymentId ?? expect.fail('no refund');
      await ledger.giveUp(id, 'approval_refused', 'system');
      expect(await ledger.findPayment(row)).toBeNull();
      for (const request of [order(row, 100n), creditOrder(100n, { paymentId: row })])
        await expect(ledger.accept(request, null)).rejects.toMatchObject({ code: 'payment_unknown' });
    });

    it('is checked without an original, and no other credit is', async () => {
      const { ledger } = underTest();
      const { id } = await asked();
      await expect(openCredit(id, debit())).rejects.toBeInstanceOf(LedgerError);
      const facts = debit();
      const { refund } = await ledger.accept(creditOrder(100n, { paymentId: facts.id }), {
        entityId: ENTITY,
        facts,
      });
      await expect(openCredit(refund.id, null)).rejects.toBeInstanceOf(LedgerError);
    });
  });
}
