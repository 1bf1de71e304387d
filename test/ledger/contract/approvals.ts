/** Withdrawing, failing and reviewing a refund: what operators and the program may decide, and a reservation that is released once. */
import { describe, expect, it } from 'vitest';
import type { RefundState } from '../../../domain/refund/states.js';
import {
  accepted,
  answer,
  authorisation,
  debit,
  gatewayId,
  lost,
  openLinked,
  paid,
  pending,
  POLICY,
  refused,
  submitted,
  TIMINGS,
  type LedgerUnderTest,
} from '../fixtures.js';

type Situation = Exclude<RefundState, 'requested' | 'settled' | 'returned'>;

export function describeOperators(underTest: () => LedgerUnderTest): void {
  async function fixture(situation: Situation): Promise<{ id: string; paymentId: string }> {
    const { ledger } = underTest();
    const isPart = situation === 'manual_review';
    const facts = isPart ? authorisation([]) : debit();
    const id = await accepted(ledger, facts, isPart ? 4_000n : 10_000n);
    const done = { id, paymentId: facts.id };
    if (situation === 'reserved') return done;
    if (situation === 'manual_review') {
      await openLinked(ledger, id);
      return done;
    }
    if (situation === 'canceled') {
      await ledger.withdraw(id, 'anna', 'at once');
      return done;
    }
    const order = await submitted(ledger, id);
    if (situation === 'submitting') return done;
    const outcome = { unknown: lost, pending: pending(), succeeded: paid() };
    if (situation === 'unknown' || situation === 'pending' || situation === 'succeeded') {
      await ledger.record(answer(order, outcome[situation]));
      return done;
    }
    await ledger.record(
      answer(order, refused(situation === 'closed_by_dispute' ? 'disputed' : 'not_linkable')),
    );
    if (situation === 'failed') await ledger.giveUp(id, 'not_owed', 'system');
    const dispute = { id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const };
    if (situation === 'closed_by_dispute')
      await ledger.applyReconciliation(id, { ...facts, disputes: [dispute] }, 'decide');
    if (situation === 'awaiting_approval')
      await ledger.openCredit(id, facts, TIMINGS, { ...POLICY, creditApprovalAbove: {} });
    if (situation === 'fallback_checking') {
      await ledger.openCredit(id, facts, TIMINGS, { ...POLICY, creditApprovalAbove: {} });
      const hash = (await ledger.findRefund(id))?.instruction?.hash ?? '';
      await ledger.decide({
        refundId: id,
        verdict: 'approved',
        instruction: hash,
        by: 'berta',
        reason: 'ok',
      });
    }
    expect((await ledger.snapshot(id)).state).toBe(situation);
    return done;
  }

  describe('withdrawing a refund', () => {
    it.each<Situation>([
      'reserved',
      'rejected',
      'fallback_checking',
      'awaiting_approval',
      'manual_review',
      'canceled',
    ])('that is %s ends it and gives back what was held, once', async (situation) => {
      const { ledger } = underTest();
      const { id, paymentId } = await fixture(situation);
      for (let repeat = 0; repeat < 2; repeat += 1)
        expect(await ledger.withdraw(id, 'anna', 'no longer wanted')).toMatchObject({
          kind: 'withdrawn',
          snapshot: { state: 'canceled' },
        });
      expect(await ledger.findPayment(paymentId)).toMatchObject({
        reservedMinor: 0n,
        refundableMinor: 10_000n,
      });
      expect((await openLinked(ledger, id)).kind).toBe('resume');
    });

    it.each<readonly [Situation, string]>([
      ['submitting', 'may_have_left'],
      ['unknown', 'may_have_left'],
      ['pending', 'may_have_left'],
      ['succeeded', 'final'],
      ['failed', 'final'],
      ['closed_by_dispute', 'final'],
    ])('that is %s is refused: %s', async (situation, why) => {
      const { ledger } = underTest();
      const { id, paymentId } = await fixture(situation);
      const before = await ledger.findPayment(paymentId);
      expect(await ledger.withdraw(id, 'anna', 'too late')).toMatchObject({
        kind: 'refused',
        why,
        snapshot: { state: situation },
      });
      expect(await ledger.findPayment(paymentId)).toEqual(before);
    });
  });

  describe('failing a refund', () => {
    it.each<Situation>(['rejected', 'fallback_checking', 'awaiting_approval', 'manual_review'])(
      'a refund that is %s releases its reservation once',
      async (situation) => {
        const { ledger } = underTest();
        const { id, paymentId } = await fixture(situation);
        for (let repeat = 0; repeat < 2; repeat += 1)
          expect(await ledger.giveUp(id, 'our_data_wrong', 'system')).toMatchObject({
            state: 'failed',
            why: 'our_data_wrong',
          });
        expect(await ledger.findPayment(paymentId)).toMatchObject({
          reservedMinor: 0n,
          refundableMinor: 10_000n,
        });
      },
    );

    it.each<Situation>(['submitting', 'unknown', 'pending', 'succeeded', 'canceled'])(
      'changes nothing while money may have left, or when it is final (%s)',
      async (situation) => {
        const { ledger } = underTest();
        const { id } = await fixture(situation);
        expect((await ledger.giveUp(id, 'not_owed', 'system')).state).toBe(situation);
      },
    );
  });

  describe('requesting a review', () => {
    it.each<Situation>(['reserved', 'submitting', 'unknown', 'pending', 'rejected', 'fallback_checking'])(
      'of a refund that is %s opens one case and keeps the reservation',
      async (situation) => {
        const { ledger, openCases } = underTest();
        const { id, paymentId } = await fixture(situation);
        for (let repeat = 0; repeat < 2; repeat += 1)
          expect(await ledger.openCase(id, 'outcome_unknown')).toMatchObject({
            state: 'manual_review',
            why: 'outcome_unknown',
          });
        expect(await openCases(id)).toEqual(['outcome_unknown']);
        expect((await ledger.findPayment(paymentId))?.reservedMinor).toBe(10_000n);
      },
    );

    it.each<Situation>(['succeeded', 'failed', 'canceled', 'closed_by_dispute', 'awaiting_approval'])(
      'changes nothing for a refund that is %s',
      async (situation) => {
        const { ledger } = underTest();
        const { id } = await fixture(situation);
        expect((await ledger.openCase(id, 'outcome_unknown')).state).toBe(situation);
      },
    );

    it('does not stop late evidence: the case is closed when the refund turns out paid', async () => {
      const { ledger, openCases } = underTest();
      const id = await accepted(ledger, debit(), 10_000n);
      const order = await submitted(ledger, id);
      await ledger.openCase(id, 'outcome_unknown');
      expect((await ledger.record(answer(order, paid()))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual([]);
    });
  });

  describe('a list of refunds', () => {
    it('has the newest first, continues before a given refund, and can leave out final ones', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const ids: string[] = [];
      for (let number = 0; number < 3; number += 1) ids.push(await accepted(ledger, facts, 1_000n));
      const [oldest, middle, newest] = ids;
      await ledger.withdraw(middle ?? '', 'anna', 'not that one');
      const listed = async (filter: object) =>
        (await ledger.listRefunds({ paymentId: facts.id, ...filter })).map(({ id }) => id);
      expect(await listed({})).toEqual([newest, middle, oldest]);
      expect(await listed({ limit: 1, before: newest })).toEqual([middle]);
      expect(await listed({ unfinished: true })).toEqual([newest, oldest]);
      expect(await listed({ states: ['canceled'] })).toEqual([middle]);
    });

    it('finds the refund of a client and key, and none of another client', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 1_000n);
      const refund = await ledger.findRefund(id);
      const key = { clientId: refund?.clientId ?? '', idempotencyKey: refund?.idempotencyKey ?? '' };
      expect((await ledger.listRefunds(key)).map((found) => found.id)).toEqual([id]);
      expect(await ledger.listRefunds({ ...key, clientId: 'somebody-else' })).toEqual([]);
    });
  });
}
