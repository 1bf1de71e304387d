/** Acceptance: a request is stored and reserved once for each client and key, or refused without storing anything. */
import { describe, expect, it } from 'vitest';
import { LedgerError, type AcceptInput, type ImportedPayment } from '../../../ledger/ledger.js';
import {
  authorisation,
  debit,
  ENTITY,
  gatewayId,
  linkedReturn,
  order,
  type LedgerUnderTest,
  type RefundOrder,
} from '../fixtures.js';

export function describeAcceptance(underTest: () => LedgerUnderTest): void {
  const accept = (asked: AcceptInput, imported: ImportedPayment | null = null) =>
    underTest().ledger.accept(asked, imported);
  const known = async (facts = debit()) => {
    await accept(order(facts.id, 100n), { entityId: ENTITY, facts });
    return facts;
  };
  async function declineClassOf(work: Promise<unknown>) {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof LedgerError)) throw new Error(`no refusal but ${String(error)}`);
    return { code: error.code, details: error.details };
  }

  describe('accepting a refund', () => {
    it('reserves its amount on the payment', async () => {
      const facts = debit();
      const { refund, isNew } = await accept(order(facts.id, 6_000n), { entityId: ENTITY, facts });
      expect(isNew).toBe(true);
      expect(refund).toMatchObject({ state: 'reserved', amountMinor: 6_000n, currency: 'EUR', attempts: [] });
      expect(await underTest().ledger.findPayment(facts.id)).toMatchObject({
        reservedMinor: 6_000n,
        refundableMinor: 4_000n,
      });
    });

    it('returns the same refund for the same key and body, and reserves nothing more', async () => {
      const facts = await known();
      const asked = order(facts.id, 3_000n);
      const first = await accept(asked);
      const again = await accept({ ...asked, requestedBy: 'berta' });
      expect(again.isNew).toBe(false);
      expect(again.refund).toEqual(first.refund);
      expect((await underTest().ledger.findPayment(facts.id))?.reservedMinor).toBe(3_100n);
    });

    it('stores another refund for the same key of another client', async () => {
      const facts = await known();
      const asked = order(facts.id, 3_000n);
      const first = await accept(asked);
      const other = await accept({ ...asked, clientId: 'marketplace' });
      expect(other.isNew).toBe(true);
      expect(other.refund.id).not.toBe(first.refund.id);
    });

    it.each([
      ['amount', (asked: RefundOrder) => order(asked.request.paymentId, 3_001n)],
      ['reason', (asked: RefundOrder) => ({ ...asked, request: { ...asked.request, reason: 'goodwill' } })],
      [
        'destination',
        (asked: RefundOrder) => order(asked.request.paymentId, 3_000n, { destination: gatewayId() }),
      ],
    ])('refuses the same key with another %s', async (_field, change) => {
      const facts = await known();
      const asked = order(facts.id, 3_000n);
      const { refund } = await accept(asked);
      const changed = { ...change(asked), idempotencyKey: asked.idempotencyKey };
      expect(await declineClassOf(accept(changed))).toEqual({
        code: 'idempotency_key_reused',
        details: { refundId: refund.id },
      });
    });

    it('refuses the same key for another payment, also if both arrive at once', async () => {
      const [one, two] = [await known(), await known()];
      const asked = order(one.id, 500n);
      const other = { ...asked, request: { ...asked.request, paymentId: two.id } };
      const answers = await Promise.allSettled([accept(asked), accept(other), accept(asked), accept(other)]);
      const stored = answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(new Set(stored.map(({ refund }) => refund.id)).size).toBe(1);
      expect(stored.filter(({ isNew }) => isNew)).toHaveLength(1);
      for (const each of answers)
        if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'idempotency_key_reused' });
    });

    it('refuses more than is refundable, with the refundable amount', async () => {
      const facts = await known();
      const refusal = { code: 'exceeds_refundable', details: { refundable: '99.00', currency: 'EUR' } };
      expect(await declineClassOf(accept(order(facts.id, 9_901n)))).toEqual(refusal);
      expect((await accept(order(facts.id, 9_900n))).isNew).toBe(true);
      expect(await declineClassOf(accept(order(facts.id, 1n)))).toMatchObject({
        details: { refundable: '0.00' },
      });
    });

    it('refuses another currency than the payment’s', async () => {
      const facts = await known();
      expect(await declineClassOf(accept(order(facts.id, 1n, { currency: 'USD' })))).toEqual({
        code: 'currency_mismatch',
        details: { currency: 'EUR' },
      });
    });

    it('refuses a payment that took no money, and a payment of another entity', async () => {
      const rejected = debit({ state: 'rejected', captures: [], capturedMinor: 0n });
      const imported = { entityId: ENTITY, facts: rejected };
      expect((await declineClassOf(accept(order(rejected.id, 1n), imported))).code).toBe(
        'payment_not_refundable',
      );
      const facts = await known();
      const asked = order(facts.id, 1n);
      const elsewhere = { ...asked, request: { ...asked.request, entityId: 'b'.repeat(32) } };
      expect((await declineClassOf(accept(elsewhere))).code).toBe('payment_not_refundable');
    });

    it('refuses a payment that was neither queried nor declared', async () => {
      expect((await declineClassOf(accept(order(gatewayId(), 1n)))).code).toBe('payment_unknown');
    });

    it('stores nothing of a refused request, not even the payment', async () => {
      const facts = debit();
      const asked = order(facts.id, 10_001n);
      await declineClassOf(accept(asked, { entityId: ENTITY, facts }));
      expect(await underTest().ledger.findPayment(facts.id)).toBeNull();
      expect(await underTest().ledger.listRefunds({ paymentId: facts.id })).toEqual([]);
      const smaller = { ...order(facts.id, 10_000n), idempotencyKey: asked.idempotencyKey };
      expect((await accept(smaller, { entityId: ENTITY, facts })).isNew).toBe(true);
    });
  });

  describe('an original that is stored with its first refund', () => {
    it('is found by the id of each of its captures, and all share one balance', async () => {
      const facts = authorisation([4_000n, 3_000n]);
      const [first, second] = facts.captures;
      await accept(order(first?.id ?? '', 4_000n), { entityId: ENTITY, facts });
      await accept(order(facts.id, 2_000n));
      expect(await declineClassOf(accept(order(second?.id ?? '', 1_001n)))).toMatchObject({
        code: 'exceeds_refundable',
        details: { refundable: '10.00' },
      });
      const found = await underTest().ledger.findPayment(second?.id ?? '');
      expect(found).toMatchObject({
        id: facts.id,
        type: 'preauthorization',
        capturedMinor: 7_000n,
        reservedMinor: 6_000n,
      });
      expect(await underTest().ledger.listRefunds({ paymentId: facts.id })).toHaveLength(2);
      expect(await underTest().ledger.listRefunds({ paymentId: first?.id ?? '' })).toHaveLength(1);
    });

    it('can be paid back up to the authorized amount while nothing is captured', async () => {
      const facts = authorisation([]);
      const { refund } = await accept(order(facts.id, 10_000n), { entityId: ENTITY, facts });
      expect(refund.state).toBe('reserved');
    });

    it('includes what was paid back and charged back before', async () => {
      const facts = debit({
        returns: [linkedReturn({ amountMinor: 2_500n, state: 'open' })],
        disputes: [
          { id: gatewayId(), amountMinor: 4_000n, reversedMinor: 0n, state: 'succeeded' as const },
          { id: gatewayId(), amountMinor: 1_000n, reversedMinor: 1_000n, state: 'succeeded' as const },
        ],
      });
      expect(
        await declineClassOf(accept(order(facts.id, 3_501n), { entityId: ENTITY, facts })),
      ).toMatchObject({
        details: { refundable: '35.00' },
      });
      await accept(order(facts.id, 3_500n), { entityId: ENTITY, facts });
      expect(await underTest().ledger.findPayment(facts.id)).toMatchObject({
        succeededMinor: 2_500n,
        disputedMinor: 4_000n,
        refundableMinor: 0n,
      });
    });

    it('does not count the reversal of what was never captured', async () => {
      const facts = authorisation([6_000n]);
      const release = linkedReturn({ type: 'reversal', referencedId: facts.id, amountMinor: 4_000n });
      const { refund } = await accept(order(facts.id, 6_000n), {
        entityId: ENTITY,
        facts: { ...facts, returns: [release] },
      });
      expect(refund.state).toBe('reserved');
    });
  });

  describe('reading unknown ids', () => {
    it('finds nothing, whatever the id looks like', async () => {
      const { ledger } = underTest();
      for (const id of ['', 'nonsense', '00000000-0000-4000-8000-000000000000', "' or 1=1 --"]) {
        expect(await ledger.findRefund(id)).toBeNull();
        expect(await ledger.findPayment(id)).toBeNull();
        expect(await ledger.queryTarget(id)).toBeNull();
        await expect(ledger.snapshot(id)).rejects.toMatchObject({ code: 'refund_unknown' });
      }
      expect(await ledger.listRefunds({ states: [] })).toEqual([]);
    });
  });
}
