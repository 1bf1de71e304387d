/** A payment that cannot be read when a refund needs it: the budget begins on the ledger, ends in a case, and has a way back. */
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../../domain/refund/next-step.js';
import { PLAN, POLICY, refused, submittedRefund, TIMINGS, type LedgerUnderTest } from '../given.js';

const THROTTLED = { answer: '800.120.100', isLasting: false } as const;

export function describeUnread(underTest: () => LedgerUnderTest): void {
  /** Declined in a way that is compared with the payment, or that a credit may follow. */
  const declined = (as: 'ambiguous' | 'not_linkable') =>
    submittedRefund(underTest().ledger, { outcome: refused(as) });

  /** In review, for the given step. */
  async function asked(purpose: 'compare' | 'credit') {
    const { ledger, letPass } = underTest();
    const refund = await declined(purpose === 'compare' ? 'ambiguous' : 'not_linkable');
    await ledger.noteUnreadable(refund.id, { for: purpose, ...THROTTLED });
    await letPass(TIMINGS.caseAfterUnknown + 1_000);
    const late = await ledger.noteUnreadable(refund.id, { for: purpose, ...THROTTLED });
    expect(nextStep(late, PLAN)).toEqual({ kind: 'ask', why: 'original_unreadable' });
    await ledger.ask(refund.id, 'original_unreadable');
    return refund;
  }

  describe('a payment that cannot be read', () => {
    it('is waited for since its first query that failed, however often it fails and whoever asks', async () => {
      const { ledger, letPass } = underTest();
      const { id } = await declined('ambiguous');
      expect((await ledger.position(id)).unread).toBeUndefined();
      await ledger.noteUnreadable(id, { for: 'compare', ...THROTTLED });
      await letPass(60_000);
      const { unread } = await ledger.noteUnreadable(id, { for: 'compare', ...THROTTLED });
      expect(unread).toMatchObject({ for: 'compare', times: 2 });
      expect(unread?.sinceMs).toBeGreaterThanOrEqual(60_000);
      expect(unread?.lastMs).toBeLessThan(60_000);
    });

    it('opens a case with what the gateway answered', async () => {
      const { ledger, openCases } = underTest();
      const { id } = await asked('compare');
      expect(await openCases(id)).toEqual(['original_unreadable']);
      const refund = await ledger.findRefund(id);
      expect(refund?.openCases[0]?.details).toEqual({ answer: '800.120.100' });
      expect(nextStep(await ledger.position(id), PLAN).kind).toBe('read');
    });

    it('opens it at once where asking again does not help', async () => {
      const { ledger, openCases } = underTest();
      const { id } = await declined('ambiguous');
      const position = await ledger.noteUnreadable(id, {
        for: 'compare',
        answer: 'more pages than are read',
        isLasting: true,
      });
      expect(position.state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['original_unreadable']);
    });

    it.each([
      ['compare', 'rejected', 'reconcile'],
      ['credit', 'fallback_checking', 'credit'],
    ] as const)('goes on by itself with the step that needed it: %s', async (purpose, state, step) => {
      const { ledger, openCases } = underTest();
      const { id, facts } = await asked(purpose);
      const position = await ledger.noteReadable(id, facts);
      expect(position).toMatchObject({ state });
      expect(position.unread).toBeUndefined();
      expect(nextStep(position, PLAN)).toEqual({ kind: step, after: 0 });
      expect(await openCases(id)).toEqual([]);
    });

    it('goes on with nothing that an operator has decided meanwhile', async () => {
      const { ledger } = underTest();
      const { id, facts } = await asked('credit');
      await ledger.withdraw(id, 'anna', 'settled by telephone');
      expect((await ledger.noteReadable(id, facts)).state).toBe('canceled');
      const other = await asked('credit');
      await ledger.redirect({
        refundId: other.id,
        registrationId: 'b'.repeat(32),
        by: 'berta',
        reason: 'another card',
      });
      const position = await ledger.noteReadable(other.id, other.facts);
      expect(position).toMatchObject({ state: 'fallback_checking' });
      expect(position.unread).toBeUndefined();
    });

    it('that is read in time begins no case, and the next failure begins a budget of its own', async () => {
      const { ledger, letPass } = underTest();
      const { id, facts } = await declined('not_linkable');
      await ledger.noteUnreadable(id, { for: 'credit', ...THROTTLED });
      await letPass(TIMINGS.caseAfterUnknown / 2);
      await ledger.applyFinding(id, facts, 'before_credit');
      expect((await ledger.position(id)).unread).toBeUndefined();
      await letPass(TIMINGS.caseAfterUnknown);
      const { unread } = await ledger.noteUnreadable(id, { for: 'credit', ...THROTTLED });
      expect(unread?.sinceMs).toBeLessThan(TIMINGS.caseAfterUnknown);
    });

    it('says nothing about a refund that has gone on since it was queried', async () => {
      const { ledger } = underTest();
      const { id, facts } = await declined('not_linkable');
      const { kind } = await ledger.openCredit(id, facts, TIMINGS, POLICY);
      expect(kind).toBe('send');
      const position = await ledger.noteUnreadable(id, { for: 'credit', answer: 'late', isLasting: true });
      expect(position).toMatchObject({ state: 'submitting' });
      expect(position.unread).toBeUndefined();
    });
  });
}
