/** Attempts that succeed, are returned and succeed again: each change is one fact, and the later observation counts. */
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../../domain/refund/next-step.js';
import type { Correction } from '../../../ledger/core/commands.js';
import {
  accepted,
  answer,
  debit,
  gatewayId,
  NEWEST,
  paid,
  CONFIG,
  POLICY,
  refused,
  seen,
  sent,
  submitted,
  TIMINGS,
  submittedRefund,
  paymentsOn,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeTurns(underTest: () => LedgerUnderTest): void {
  const payment = paymentsOn(underTest);
  const moneyOf = async (paymentId: string) => {
    const { succeededMinor, returnedMinor, reservedMinor, excessMinor } = await payment(paymentId);
    return { paid: succeededMinor - returnedMinor, held: reservedMinor, excess: excessMinor };
  };
  /** A refund that was paid, is shown declined and is in review. */
  async function returned() {
    const { ledger } = underTest();
    const own = gatewayId();
    const refund = await submittedRefund(ledger, { outcome: paid(own) });
    expect((await ledger.record(seen(refund.order, refused('unlisted', own)))).state).toBe('returned');
    expect((await ledger.openCase(refund.id, 'returned')).state).toBe('manual_review');
    return { ...refund, own };
  }

  describe('a returned refund', () => {
    it('is recognized when its payment lists it as declined, by a query that began after it was paid', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const before = await ledger.clock();
      const own = gatewayId();
      await ledger.record(answer(await submitted(ledger, id), paid(own)));
      const shown = { ...facts, declined: [own] };
      await ledger.recordOriginal(facts.id, { ...shown, observedAt: before });
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
      await ledger.recordOriginal(facts.id, { ...shown, observedAt: await ledger.clock() });
      expect(await ledger.snapshot(id)).toMatchObject({ state: 'returned', settled: { settledBy: null } });
      expect(await moneyOf(facts.id)).toMatchObject({ held: 10_000n });
    });

    it('is queried, because it may be shown as paid again', async () => {
      const { ledger } = underTest();
      const { id, order, own } = await returned();
      expect(await ledger.queryTarget(id)).toMatchObject({
        attemptId: order.attemptId,
        state: 'returned',
        gatewayIds: [own],
      });
    });

    it('that a query shows as paid again has succeeded, each time counted once', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, paymentId, own } = await returned();
      for (let turn = 0; turn < 3; turn += 1) {
        for (let repeat = 0; repeat < 2; repeat += 1)
          expect((await ledger.record(seen(order, paid(own)))).state).toBe('succeeded');
        expect(await moneyOf(paymentId)).toEqual({ paid: 10_000n, held: 0n, excess: 0n });
        expect(await openCases(id)).toEqual([]);
        for (let repeat = 0; repeat < 2; repeat += 1)
          expect((await ledger.record(seen(order, refused('unlisted', own)))).state).toBe('returned');
        expect(await moneyOf(paymentId)).toEqual({ paid: 0n, held: 10_000n, excess: 0n });
        await ledger.openCase(id, 'returned');
      }
    });

    it('has not succeeded again by an earlier answer or notification, nor by an older query', async () => {
      const { ledger, letPass } = underTest();
      const { order, own } = await returned();
      const older = new Date(NEWEST.getTime() - 1);
      await letPass(1);
      await ledger.record(answer(order, paid(own)));
      await ledger.record({ attemptId: order.attemptId, source: 'notification', outcome: paid(own) });
      expect((await ledger.record(seen(order, paid(own), older))).attempt?.state).toBe('returned');
      expect((await ledger.record(seen(order, paid(own)))).attempt?.state).toBe('succeeded');
      // Nor is it returned by a query that began before it was shown as paid again.
      expect((await ledger.record(seen(order, refused('unlisted', own), older))).state).toBe('succeeded');
    });

    it('that is paid again beside the credit in its place is paid twice, with correct balances', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      const first = sent(await ledger.openCredit(id, facts, TIMINGS, POLICY));
      const own = gatewayId();
      await ledger.record(answer(first, paid(own)));
      await ledger.record(seen(first, refused('unlisted', own)));
      await ledger.openCase(id, 'returned');
      const to = 'b'.repeat(32);
      await ledger.changeDestination({
        refundId: id,
        registrationId: to,
        by: 'berta',
        reason: 'account closed',
      });
      await ledger.openCredit(id, facts, TIMINGS, POLICY);
      const instruction = (await ledger.findRefund(id))?.instruction?.hash ?? '';
      await ledger.decide({ refundId: id, verdict: 'approved', instruction, by: 'carla', reason: 'seen' });
      const other = sent(await ledger.openCredit(id, facts, TIMINGS, POLICY));
      expect((await ledger.record(seen(first, paid(own)))).state).toBe('manual_review');
      await ledger.record(answer(other, paid()));
      expect(await moneyOf(facts.id)).toEqual({ paid: 20_000n, held: 0n, excess: 10_000n });
      expect(await openCases(id)).toContain('paid_twice');
      // One of them is returned: the refund is paid once.
      await ledger.record(seen(first, refused('unlisted', own)));
      expect(await moneyOf(facts.id)).toEqual({ paid: 10_000n, held: 0n, excess: 0n });
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
    });

    it('is withdrawn only if a query has just shown that it is still declined', async () => {
      const { ledger } = underTest();
      const { id, order, paymentId } = await returned();
      const withdraw = (at: Date | undefined) =>
        ledger.withdraw(
          id,
          'berta',
          'goods kept',
          undefined,
          undefined,
          at === undefined ? [] : [{ attemptId: order.attemptId, at }],
        );
      const now = await ledger.clock();
      const old = new Date(now.getTime() - 120_000);
      expect(await withdraw(undefined)).toMatchObject({ kind: 'refused', why: 'may_have_left' });
      expect(await withdraw(old)).toMatchObject({ kind: 'refused', why: 'may_have_left' });
      expect(await withdraw(now)).toMatchObject({ kind: 'withdrawn' });
      expect(await moneyOf(paymentId)).toEqual({ paid: 0n, held: 0n, excess: 0n });
    });

    it('that was withdrawn and is shown as paid later has succeeded, and opens a case', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, own, paymentId } = await returned();
      const at = await ledger.clock();
      const { attemptId } = order;
      await ledger.withdraw(id, 'berta', 'goods kept', undefined, undefined, [{ attemptId, at }]);
      expect((await ledger.record(seen(order, paid(own)))).state).toBe('succeeded');
      expect(await moneyOf(paymentId)).toEqual({ paid: 10_000n, held: 0n, excess: 0n });
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    it('succeeds by a signed correction, again after each return', async () => {
      const { ledger } = underTest();
      const { id, order, own, paymentId } = await returned();
      const correction: Correction = {
        refundId: id,
        outcome: 'succeeded',
        evidence: 'settlement line 17',
        gateway: 'silent',
        by: 'berta',
        reason: 'the bank confirms it',
      };
      for (let turn = 0; turn < 2; turn += 1) {
        const proposed = await ledger.correct(correction, CONFIG);
        expect(proposed.kind).toBe('proposed');
        const instruction = proposed.kind === 'proposed' ? proposed.instruction : '';
        const confirmed = await ledger.confirm(
          { refundId: id, verdict: 'approved', instruction, gateway: 'silent', by: 'carla', reason: 'seen' },
          TIMINGS,
        );
        expect(confirmed).toMatchObject({ kind: 'done', snapshot: { state: 'succeeded' } });
        expect(await moneyOf(paymentId)).toEqual({ paid: 10_000n, held: 0n, excess: 0n });
        await ledger.record(seen(order, refused('unlisted', own)));
        await ledger.openCase(id, 'returned');
      }
      expect(nextStep(await ledger.snapshot(id), CONFIG)).toEqual({ kind: 'wait_for_operator' });
    });

    it('succeeds by the transaction that an operator links, again after each return', async () => {
      const { ledger } = underTest();
      const { order, own } = await returned();
      for (let turn = 0; turn < 2; turn += 1) {
        const linked = await ledger.link(
          {
            attemptId: order.attemptId,
            asked: { send: 1, at: NEWEST },
            gatewayId: own,
            outcome: { kind: 'succeeded', gatewayId: own, flagged: false },
            hasNoReference: false,
            gateway: 'none',
            code: '000.100.110',
            description: 'as tests say it',
            by: 'berta',
            reason: 'shown in the portal',
          },
          TIMINGS,
        );
        expect(linked).toMatchObject({ kind: 'done', snapshot: { state: 'succeeded' } });
        await ledger.record(seen(order, refused('unlisted', own)));
      }
    });
  });
}
