/** Declared payments: refunds may be submitted on them; once a query shows the payment, that counts. */
import { describe, expect, it } from 'vitest';
import type { DeclaredPayment } from '../../../domain/payment/declared-payment.js';
import { storedMoney } from '../../../domain/money/money.js';
import { ofCapture } from '../../../domain/payment/one-capture.js';
import type { Accepted } from '../../../ledger/ledger.js';
import {
  accepted,
  answer,
  authorisation,
  debit,
  ENTITY,
  gatewayId,
  linkedReturn,
  openLinked,
  order as ordered,
  paid,
  POLICY,
  refused,
  sent,
  submitted,
  TIMINGS,
  type LedgerUnderTest,
} from '../fixtures.js';

const EUROS = (type: DeclaredPayment['type'], minor: bigint, registrationId?: string): DeclaredPayment => ({
  type,
  money: storedMoney(minor, 'EUR'),
  ...(registrationId === undefined ? {} : { registrationId }),
});

export function describeDeclared(underTest: () => LedgerUnderTest): void {
  describe('a declared payment', () => {
    const ask = (paymentId: string, minor: bigint, payment: DeclaredPayment): Promise<Accepted> => {
      const asked = ordered(paymentId, minor);
      return underTest().ledger.accept(
        { ...asked, request: { ...asked.request, payment } },
        { entityId: ENTITY, facts: null },
      );
    };

    it.each(['debit', 'capture'] as const)(
      'of type %s is refunded without having been seen',
      async (type) => {
        const { ledger } = underTest();
        const id = gatewayId();
        const { refund } = await ask(id, 4_000n, EUROS(type, 10_000n));
        expect(await ledger.findPayment(id)).toMatchObject({
          type,
          isDeclared: true,
          refundableMinor: 6_000n,
        });
        const order = await submitted(ledger, refund.id);
        expect(order).toMatchObject({ operation: 'refund', originalId: id, amountMinor: 4_000n });
        expect((await ledger.record(answer(order, paid()))).state).toBe('succeeded');
        await expect(ask(id, 6_001n, EUROS(type, 10_000n))).rejects.toMatchObject({
          code: 'exceeds_refundable',
        });
      },
    );

    it.each<[string, string, Partial<ReturnType<typeof debit>>]>([
      ['entity', gatewayId(), {}],
      ['currency', ENTITY, { currency: 'USD' }],
    ])(
      'under the wrong %s takes the shown one if nothing is reserved on it',
      async (_name, entityId, shown) => {
        const { ledger } = underTest();
        const id = gatewayId();
        const facts = debit({ id, capturedMinor: 10_000n, ...shown });
        const money = storedMoney(5_000n, facts.currency);
        const right = () => {
          const asked = ordered(id, 5_000n);
          return ledger.accept(
            { ...asked, request: { ...asked.request, entityId, money } },
            { entityId, facts },
          );
        };
        const { refund } = await ask(id, 4_000n, EUROS('debit', 10_000n));
        await expect(right()).rejects.toMatchObject({
          code: expect.stringMatching(/currency_mismatch|not_refundable/) as unknown,
        });
        await ledger.withdraw(refund.id, 'anna', 'declared wrongly');
        expect((await right()).isNew).toBe(true);
        expect(await ledger.findPayment(id)).toMatchObject({
          entityId,
          currency: facts.currency,
          isDeclared: false,
          reservedMinor: 5_000n,
        });
      },
    );

    it('under the wrong entity keeps it while something may have been paid back', async () => {
      const { ledger } = underTest();
      const id = gatewayId();
      const { refund } = await ask(id, 4_000n, EUROS('debit', 10_000n));
      await ledger.record(answer(await submitted(ledger, refund.id), paid()));
      const asked = ordered(id, 5_000n);
      const entityId = gatewayId();
      const again = ledger.accept(
        { ...asked, request: { ...asked.request, entityId } },
        { entityId, facts: debit({ id, capturedMinor: 10_000n }) },
      );
      await expect(again).rejects.toMatchObject({ code: 'payment_not_refundable' });
    });

    it('that is only authorized is reversed only after a query: more may be authorized than was declared', async () => {
      const { ledger } = underTest();
      const facts = authorisation([]);
      const { refund } = await ask(facts.id, 4_000n, EUROS('preauthorization', 4_000n));
      expect(await openLinked(ledger, refund.id)).toMatchObject({ kind: 'resume', needsQuery: true });
      await ledger.recordOriginal(facts.id, facts);
      expect(await submitted(ledger, refund.id, { ...POLICY, partialReversal: true })).toMatchObject({
        ...{ operation: 'reversal', originalId: facts.id, amountMinor: 4_000n, isPartialReversal: true },
      });
    });

    it.each<[string, DeclaredPayment]>([
      ['amount', EUROS('debit', 10_001n)],
      ['type', EUROS('capture', 10_000n)],
      ['registration', EUROS('debit', 10_000n, 'a'.repeat(32))],
    ])('counts as it was declared first: another %s is refused', async (_name, other) => {
      const id = gatewayId();
      await ask(id, 100n, EUROS('debit', 10_000n));
      await expect(ask(id, 100n, other)).rejects.toMatchObject({
        code: 'payment_differs',
        details: { type: 'debit', amount: '100.00', currency: 'EUR' },
      });
      expect((await ask(id, 100n, EUROS('debit', 10_000n))).isNew).toBe(true);
    });

    it('counts as a query shows it, also if less was captured than is reserved', async () => {
      const { ledger, openCases } = underTest();
      const id = gatewayId();
      const { refund } = await ask(id, 10_000n, EUROS('debit', 10_000n));
      await ledger.recordOriginal(id, debit({ id, capturedMinor: 6_000n }));
      expect(await ledger.findPayment(id)).toMatchObject({
        isDeclared: false,
        capturedMinor: 6_000n,
        refundableMinor: 0n,
      });
      const order = await submitted(ledger, refund.id);
      expect(order.amountMinor).toBe(6_000n);
      expect((await ledger.record(answer(order, paid()))).state).toBe('reserved');
      expect((await openLinked(ledger, refund.id)).kind).toBe('resume');
      expect(await openCases(refund.id)).toEqual(['not_captured']);
    });

    it('of which more was paid than a query shows as captured gets a case', async () => {
      const { ledger, openCases } = underTest();
      const id = gatewayId();
      const { refund } = await ask(id, 10_000n, EUROS('debit', 10_000n));
      await ledger.record(answer(await submitted(ledger, refund.id), paid()));
      await ledger.recordOriginal(id, debit({ id, capturedMinor: 6_000n }));
      expect(await openCases(refund.id)).toEqual(['paid_twice']);
    });

    it('declared as a debit and shown as an authorization is refunded on its captures', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const { refund } = await ask(facts.id, 6_000n, EUROS('debit', 10_000n));
      await ledger.recordOriginal(facts.id, facts);
      expect(await ledger.findPayment(facts.id)).toMatchObject({
        type: 'preauthorization',
        capturedMinor: 10_000n,
      });
      expect((await submitted(ledger, refund.id)).originalId).toBe(facts.captures[0]?.id);
    });

    it('whose captured amount was paid by a credit pays no other refund, though the gateway would allow it', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit({ capturedMinor: 7_000n });
      const declared = EUROS('debit', 10_000n);
      const first = (await ask(facts.id, 6_000n, declared)).refund.id;
      const second = (await ask(facts.id, 3_000n, declared)).refund.id;
      await ledger.record(answer(await submitted(ledger, first), refused('not_linkable')));
      const credit = sent(await ledger.openCredit(first, facts, TIMINGS, POLICY));
      await ledger.record(answer(credit, paid()));
      const rest = await submitted(ledger, second);
      expect(rest.amountMinor).toBe(1_000n);
      expect((await ledger.record(answer(rest, paid()))).state).toBe('reserved');
      expect((await openLinked(ledger, second)).kind).toBe('resume');
      expect(await openCases(second)).toEqual(['not_captured']);
      expect(await ledger.findPayment(facts.id)).toMatchObject({ succeededMinor: 7_000n });
    });

    it('gives no destination for a credit before a query shows it', async () => {
      const { ledger } = underTest();
      const id = gatewayId();
      const { refund } = await ask(id, 5_000n, EUROS('debit', 10_000n, 'b'.repeat(32)));
      await ledger.record(answer(await submitted(ledger, refund.id), refused('not_linkable')));
      const facts = debit({ id, registrationId: null });
      const { verdict } = await ledger.openCredit(refund.id, facts, TIMINGS, POLICY);
      expect(verdict).toEqual({ kind: 'denied', why: ['no_destination'] });
    });
  });

  describe('a declared capture', () => {
    const declared = async (captureId: string, minor: bigint): Promise<string> => {
      const { ledger } = underTest();
      const asked = ordered(captureId, minor);
      const request = { ...asked.request, payment: EUROS('capture', 6_000n) };
      const { refund } = await ledger.accept({ ...asked, request }, { entityId: ENTITY, facts: null });
      return refund.id;
    };

    it('is counted once, whether it or its authorization becomes known first', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const [own, other] = facts.captures.map((capture) => capture.id);
      await declared(own ?? '', 6_000n);
      const rest = await accepted(ledger, facts, 4_000n);
      expect(await ledger.findPayment(facts.id)).toMatchObject({
        capturedMinor: 4_000n,
        refundableMinor: 0n,
      });
      expect((await submitted(ledger, rest)).originalId).toBe(other);
      await expect(accepted(ledger, facts, 1n)).rejects.toMatchObject({ code: 'exceeds_refundable' });

      const known = authorisation([6_000n, 4_000n]);
      await accepted(ledger, known, 10_000n);
      await expect(declared(known.captures[0]?.id ?? '', 1n)).rejects.toMatchObject({
        code: 'exceeds_refundable',
      });
    });

    it('has its own chargeback, and its authorization does not have it', async () => {
      const { ledger, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const own = facts.captures[0]?.id ?? '';
      const refund = await declared(own, 6_000n);
      await ledger.record(answer(await submitted(ledger, refund), refused('disputed')));
      const dispute = {
        id: gatewayId(),
        amountMinor: 6_000n,
        reversedMinor: 0n,
        state: 'succeeded',
      } as const;
      const disputed = { ...facts, disputes: [{ ...dispute, referencedId: own }] };
      const shown = ofCapture(disputed, own) ?? expect.fail('the capture is listed');
      expect((await ledger.applyReconciliation(refund, shown, 'decide')).snapshot).toMatchObject({
        state: 'closed_by_dispute',
        settled: { settledBy: 'chargeback', settledAmount: '60.00' },
      });
      await accepted(ledger, disputed, 4_000n);
      expect(await ledger.findPayment(facts.id)).toMatchObject({ capturedMinor: 4_000n, disputedMinor: 0n });

      // A chargeback that names no capture may be of any: nothing is concluded from it.
      const unplaced = ofCapture({ ...facts, disputes: [dispute] }, own) ?? expect.fail('it is listed');
      expect(unplaced).toMatchObject({ disputes: [], doubts: [{ why: 'chargeback_unplaced' }] });
      expect(await openCases(refund)).toEqual([]);
    });

    it('is refunded by itself: for its authorization that is no refund made elsewhere', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n]);
      const capture = facts.captures[0]?.id ?? '';
      const order = await submitted(ledger, await declared(capture, 6_000n));
      const rest = await accepted(ledger, facts, 4_000n);
      const reversal = await submitted(ledger, rest);
      expect(reversal).toMatchObject({ operation: 'reversal', originalId: facts.id });
      const paidAs = gatewayId();
      await ledger.record(answer(order, paid(paidAs)));
      await ledger.record(answer(reversal, refused('already_returned')));

      const returned = linkedReturn({
        id: paidAs,
        amountMinor: 6_000n,
        referencedId: capture,
        reference: order.reference,
      });
      const { reconciliation } = await ledger.applyReconciliation(
        rest,
        { ...facts, returns: [returned] },
        'decide',
      );
      expect(reconciliation).not.toMatchObject({ kind: 'settled' });
      expect(await ledger.findRefund(rest)).not.toMatchObject({ state: 'refunded_elsewhere' });
    });

    it('is updated by what its authorization shows of it, and never credited', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const own = facts.captures[0]?.id ?? '';
      const refund = await declared(own, 2_000n);
      await ledger.record(answer(await submitted(ledger, refund), refused('not_linkable')));
      const shown = ofCapture(facts, own);
      if (shown === undefined) throw new Error('the capture is listed');
      const { verdict } = await ledger.openCredit(refund, shown, TIMINGS, POLICY);
      expect(verdict).toEqual({ kind: 'denied', why: ['capture_alone'] });
      expect(await ledger.findPayment(own)).toMatchObject({
        type: 'capture',
        isDeclared: false,
        capturedMinor: 6_000n,
      });
    });
  });
}
