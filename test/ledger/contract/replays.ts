/** Replays: from which cases, with which budgets, and never a second payment. */
import { describe, expect, it } from 'vitest';
import type { CaseReason } from '../../../domain/refund/reasons.js';
import { nextStep } from '../../../domain/refund/next-step.js';
import type { DeclineClass } from '../../../domain/decline-class.js';
import {
  accepted,
  answer,
  debit,
  gatewayId,
  linkedReturn,
  lost,
  openLinked,
  paid,
  CONFIG,
  POLICY,
  refused,
  sent,
  submitted,
  TIMINGS,
  submittedRefund,
  inReview,
  type LedgerUnderTest,
} from '../fixtures.js';

const FIXED = { by: 'berta', reason: 'the token is valid again' };
const APPROVED = { ...POLICY, creditApprovalAbove: {} };

export function describeReplays(underTest: () => LedgerUnderTest): void {
  const waiting = (as: DeclineClass, why: CaseReason) => inReview(underTest().ledger, as, why);

  /** A refund whose credit was declined because of our configuration. */
  async function creditDeclined(policy = POLICY, as: DeclineClass = 'configuration') {
    const { ledger } = underTest();
    const { id, facts } = await submittedRefund(ledger, { outcome: refused('not_linkable') });
    if (policy === APPROVED) {
      await ledger.openCredit(id, facts, TIMINGS, policy);
      const instruction = (await ledger.findRefund(id))?.instruction?.hash ?? '';
      await ledger.decide({ refundId: id, verdict: 'approved', instruction, by: 'cora', reason: 'ok' });
    }
    const credit = sent(await ledger.openCredit(id, facts, TIMINGS, policy));
    const snapshot = await ledger.record(answer(credit, refused(as)));
    expect(nextStep(snapshot, CONFIG)).toEqual({ kind: 'open_case', why: 'configuration' });
    await ledger.openCase(id, 'configuration');
    return { id, facts, credit };
  }

  describe('a refund is replayed', () => {
    it.each([
      ['configuration', 'configuration'],
      ['wait', 'declined_too_often'],
      ['risk', 'risk'],
      ['unlisted', 'unlisted_decline'],
    ] as const)('after %s: it is sent anew, once, under another reference', async (as, why) => {
      const { ledger, openCases } = underTest();
      const { id, order } = await waiting(as, why);
      const replayed = await ledger.replay({ refundId: id, ...FIXED });
      expect(replayed).toMatchObject({ kind: 'replayed', step: 'send', snapshot: { state: 'reserved' } });
      expect(await openCases(id)).toEqual([]);
      const again = await submitted(ledger, id);
      expect(again.reference).not.toBe(order.reference);
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      await ledger.record(answer(again, paid()));
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
    });

    it('after a credit was declined because of our configuration, which does not end it', async () => {
      const { ledger } = underTest();
      const { id, facts } = await creditDeclined(POLICY, 'our_data_wrong');
      expect(await ledger.replay({ refundId: id, ...FIXED })).toMatchObject({
        kind: 'replayed',
        step: 'credit',
      });
      const { reconciliation } = await ledger.applyReconciliation(id, facts, 'before_credit');
      expect(reconciliation).not.toMatchObject({ kind: 'give_up' });
      expect(sent(await ledger.openCredit(id, facts, TIMINGS, POLICY))).toMatchObject({
        operation: 'credit',
      });
    });

    it('with budgets of its own: attempts, retries and submissions count from the replay', async () => {
      const { ledger } = underTest();
      const { id } = await waiting('wait', 'declined_too_often');
      const { snapshot } = await ledger.replay({ refundId: id, ...FIXED });
      expect(snapshot).toMatchObject({ attempts: 0, declines: {}, attempt: null });
      const strict = { ...CONFIG, policy: { ...CONFIG.policy, maxAttempts: 1 } };
      expect(nextStep(snapshot, strict)).toEqual({ kind: 'submit', after: 0 });
      const after = await ledger.record(answer(await submitted(ledger, id), refused('wait')));
      expect(after).toMatchObject({ attempts: 1, declines: { wait: 1 } });
    });

    it('whose attempt was absent continues with the same attempt, with submissions counted from zero', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 10_000n);
      const order = await submitted(ledger, id);
      await ledger.record(answer(order, { kind: 'not_sent', why: 'closed' }));
      await ledger.openCase(id, 'cannot_be_sent');
      const { snapshot } = await ledger.replay({ refundId: id, ...FIXED });
      expect(snapshot).toMatchObject({ state: 'reserved', attempt: { state: 'absent', submissions: 0 } });
      const again = await submitted(ledger, id);
      expect(again).toMatchObject({ attemptId: order.attemptId, reference: order.reference, send: 2 });
    });

    it('whose credit was declined has it checked again, with what the gateway shows then', async () => {
      const { ledger } = underTest();
      const { id, facts, credit } = await creditDeclined();
      const { snapshot } = await ledger.replay({ refundId: id, ...FIXED });
      expect(nextStep(snapshot, CONFIG)).toEqual({ kind: 'credit', after: 0 });
      const again = sent(await ledger.openCredit(id, facts, TIMINGS, POLICY));
      expect(again.reference).not.toBe(credit.reference);
    });

    it('and not credited if its payment was refunded elsewhere in the meantime, however often it is replayed', async () => {
      const { ledger } = underTest();
      const { id, facts } = await creditDeclined();
      const elsewhere = { ...facts, returns: [linkedReturn()] };
      for (let times = 0; times < 2; times += 1) {
        expect(await ledger.replay({ refundId: id, ...FIXED })).toMatchObject({ step: 'credit' });
        const { kind, verdict } = await ledger.openCredit(id, elsewhere, TIMINGS, POLICY);
        expect({ kind, verdict }).toMatchObject({ kind: 'resume', verdict: { kind: 'denied' } });
      }
    });

    it('and needs a new approval for the next credit after one was declined', async () => {
      const { ledger } = underTest();
      const { id, facts } = await creditDeclined(APPROVED);
      await ledger.replay({ refundId: id, ...FIXED });
      const opened = await ledger.openCredit(id, facts, TIMINGS, APPROVED);
      expect(opened.verdict).toMatchObject({ kind: 'needs_approval' });
    });

    it('after the payment was unclear: it is compared again, and continues when everything can be counted', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('disputed')));
      const dispute = {
        id: gatewayId(),
        amountMinor: 10_000n,
        reversedMinor: 0n,
        state: 'succeeded' as const,
      };
      const doubt = { gatewayId: gatewayId(), why: 'reversal_without_amount' as const };
      const unclear = { ...facts, disputes: [dispute], doubts: [doubt] };
      await ledger.applyReconciliation(id, unclear, 'decide');
      expect(await openCases(id)).toEqual(['payment_unclear']);

      const replayed = await ledger.replay({ refundId: id, ...FIXED });
      expect(replayed).toMatchObject({ kind: 'replayed', step: 'compare', snapshot: { state: 'rejected' } });
      expect(nextStep(await ledger.snapshot(id), CONFIG)).toEqual({ kind: 'reconcile', after: 0 });
      await ledger.applyReconciliation(id, unclear, 'decide');
      expect((await ledger.snapshot(id)).why).toBe('payment_unclear');

      await ledger.replay({ refundId: id, ...FIXED, reason: 'the amount is shown' });
      const clear = { ...facts, disputes: [{ ...dispute, reversedMinor: 10_000n }] };
      await ledger.applyReconciliation(id, clear, 'decide');
      expect((await ledger.snapshot(id)).why).toBe('decline_unclear');
      await ledger.replay({ refundId: id, ...FIXED, reason: 'the dispute is won' });
      expect((await ledger.record(answer(await submitted(ledger, id), paid()))).state).toBe('succeeded');
    });

    it('once for each command, and by only one of two operators', async () => {
      const { ledger } = underTest();
      const { id } = await waiting('configuration', 'configuration');
      const order = { refundId: id, ...FIXED, commandId: 'command-1' };
      const both = await Promise.all([
        ledger.replay(order),
        ledger.replay({ ...order, by: 'cora', commandId: 'command-2' }),
      ]);
      expect(both.map(({ kind }) => kind).sort()).toEqual(['refused', 'replayed']);
      await ledger.record(answer(await submitted(ledger, id), refused('configuration')));
      await ledger.openCase(id, 'configuration');
      // The same command again returns the same result and changes nothing.
      const first = both[0].kind === 'replayed' ? order : { ...order, by: 'cora', commandId: 'command-2' };
      expect(await ledger.replay(first)).toMatchObject({
        kind: 'replayed',
        snapshot: { state: 'manual_review' },
      });
      expect(await ledger.replay({ ...order, commandId: 'command-3' })).toMatchObject({ kind: 'replayed' });
    });
  });

  describe('a refund is not replayed', () => {
    it('while its outcome is open', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 10_000n);
      await ledger.record(answer(await submitted(ledger, id), lost));
      await ledger.openCase(id, 'outcome_unknown');
      expect(await ledger.replay({ refundId: id, ...FIXED })).toMatchObject({ why: 'may_have_left' });
    });

    it('while a case is open in which the customer may have the money', async () => {
      const { ledger } = underTest();
      const { id } = await waiting('ambiguous', 'refunded_elsewhere');
      expect(await ledger.replay({ refundId: id, ...FIXED })).toMatchObject({ why: 'case_not_replayable' });
    });

    it('when it is not in review, or has ended', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 10_000n);
      expect(await ledger.replay({ refundId: id, ...FIXED })).toMatchObject({ why: 'not_in_review' });
      await ledger.withdraw(id, 'anna', 'at once');
      expect(await ledger.replay({ refundId: id, ...FIXED })).toMatchObject({ why: 'final' });
    });
  });

  it('a replayed refund whose declined attempt turns out paid submits nothing', async () => {
    const { ledger } = underTest();
    const { id, order } = await waiting('configuration', 'configuration');
    await ledger.replay({ refundId: id, ...FIXED });
    await ledger.record(answer(order, paid()));
    expect((await ledger.snapshot(id)).state).toBe('succeeded');
    expect((await openLinked(ledger, id)).kind).toBe('resume');
  });
}
