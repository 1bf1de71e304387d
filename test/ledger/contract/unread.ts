/** Unreadable payments: the budget is stored in the ledger, ends in a case, and the refund continues once the payment is readable. */
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../../domain/refund/next-step.js';
import { CONFIG, POLICY, refused, submittedRefund, TIMINGS, type LedgerUnderTest } from '../fixtures.js';

const THROTTLED = { answer: '800.120.100', isLasting: false } as const;

export function describeUnread(underTest: () => LedgerUnderTest): void {
  /** A refund declined so that the payment has to be compared, or a credit may follow. */
  const declined = (as: 'ambiguous' | 'not_linkable') =>
    submittedRefund(underTest().ledger, { outcome: refused(as) });

  /** A refund in review for the given step. */
  async function asked(purpose: 'compare' | 'credit') {
    const { ledger, letPass } = underTest();
    const refund = await declined(purpose === 'compare' ? 'ambiguous' : 'not_linkable');
    await ledger.recordUnreadable(refund.id, { for: purpose, ...THROTTLED });
    await letPass(TIMINGS.caseAfterUnknown + 1_000);
    const late = await ledger.recordUnreadable(refund.id, { for: purpose, ...THROTTLED });
    expect(nextStep(late, CONFIG)).toEqual({ kind: 'open_case', why: 'original_unreadable' });
    await ledger.openCase(refund.id, 'original_unreadable');
    return refund;
  }

  describe('a payment that cannot be read', () => {
    it('has a budget since the first query that failed, however often queries fail', async () => {
      const { ledger, letPass } = underTest();
      const { id } = await declined('ambiguous');
      expect((await ledger.snapshot(id)).unread).toBeUndefined();
      await ledger.recordUnreadable(id, { for: 'compare', ...THROTTLED });
      await letPass(60_000);
      const { unread } = await ledger.recordUnreadable(id, { for: 'compare', ...THROTTLED });
      expect(unread).toMatchObject({ for: 'compare', times: 2 });
      expect(unread?.sinceMs).toBeGreaterThanOrEqual(60_000);
      expect(unread?.lastMs).toBeLessThan(60_000);
    });

    it('opens a case with the gateway’s answer', async () => {
      const { ledger, openCases } = underTest();
      const { id } = await asked('compare');
      expect(await openCases(id)).toEqual(['original_unreadable']);
      const refund = await ledger.findRefund(id);
      expect(refund?.openCases[0]?.details).toEqual({ answer: '800.120.100' });
      expect(nextStep(await ledger.snapshot(id), CONFIG).kind).toBe('query_payment');
    });

    it('opens a case at once if another query would get the same answer', async () => {
      const { ledger, openCases } = underTest();
      const { id } = await declined('ambiguous');
      const snapshot = await ledger.recordUnreadable(id, {
        for: 'compare',
        answer: 'more pages than are read',
        isLasting: true,
      });
      expect(snapshot.state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['original_unreadable']);
    });

    it.each([
      ['compare', 'rejected', 'reconcile'],
      ['credit', 'fallback_checking', 'credit'],
    ] as const)('goes on by itself with the step that needed it: %s', async (purpose, state, step) => {
      const { ledger, openCases } = underTest();
      const { id, facts } = await asked(purpose);
      const snapshot = await ledger.recordReadable(id, facts);
      expect(snapshot).toMatchObject({ state });
      expect(snapshot.unread).toBeUndefined();
      expect(nextStep(snapshot, CONFIG)).toEqual({ kind: step, after: 0 });
      expect(await openCases(id)).toEqual([]);
    });

    it('does not continue a refund about which an operator has decided in the meantime', async () => {
      const { ledger } = underTest();
      const { id, facts } = await asked('credit');
      await ledger.withdraw(id, 'anna', 'settled by telephone');
      expect((await ledger.recordReadable(id, facts)).state).toBe('canceled');
      const other = await asked('credit');
      await ledger.changeDestination({
        refundId: other.id,
        registrationId: 'b'.repeat(32),
        by: 'berta',
        reason: 'another card',
      });
      const snapshot = await ledger.recordReadable(other.id, other.facts);
      expect(snapshot).toMatchObject({ state: 'fallback_checking' });
      expect(snapshot.unread).toBeUndefined();
    });

    it('that is read in time opens no case, and the next failure starts a new budget', async () => {
      const { ledger, letPass } = underTest();
      const { id, facts } = await declined('not_linkable');
      await ledger.recordUnreadable(id, { for: 'credit', ...THROTTLED });
      await letPass(TIMINGS.caseAfterUnknown / 2);
      await ledger.applyReconciliation(id, facts, 'before_credit');
      expect((await ledger.snapshot(id)).unread).toBeUndefined();
      await letPass(TIMINGS.caseAfterUnknown);
      const { unread } = await ledger.recordUnreadable(id, { for: 'credit', ...THROTTLED });
      expect(unread?.sinceMs).toBeLessThan(TIMINGS.caseAfterUnknown);
    });

    it('does not affect a refund that has continued since the query', async () => {
      const { ledger } = underTest();
      const { id, facts } = await declined('not_linkable');
      const { kind } = await ledger.openCredit(id, facts, TIMINGS, POLICY);
      expect(kind).toBe('send');
      const snapshot = await ledger.recordUnreadable(id, { for: 'credit', answer: 'late', isLasting: true });
      expect(snapshot).toMatchObject({ state: 'submitting' });
      expect(snapshot.unread).toBeUndefined();
    });
  });
}
