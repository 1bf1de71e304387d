/** Submissions and evidence: which run may submit, and the effect of each outcome in each state of an attempt. */
import { describe, expect, it } from 'vitest';
import type { GatewayId } from '../../../domain/ids.js';
import type { Outcome } from '../../../domain/refund/outcome.js';
import type { RefundState } from '../../../domain/refund/states.js';
import type { AttemptState } from '../../../domain/refund/attempt-states.js';
import type { Submission } from '../../../ledger/ledger.js';
import type { Correction } from '../../../ledger/core/commands.js';
import {
  accepted,
  answer,
  authorisation,
  debit,
  gatewayId,
  LATE,
  lost,
  missed,
  notSent,
  openLinked,
  paid,
  pending,
  POLICY,
  refused,
  seen,
  submitted,
  TIMINGS,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeEvidence(underTest: () => LedgerUnderTest): void {
  const payment = async (id: string) =>
    (await underTest().ledger.findPayment(id)) ?? expect.fail('no payment');
  const attempts = async (id: string) => (await underTest().ledger.findRefund(id))?.attempts ?? [];

  describe('opening an attempt', () => {
    it('gives the order to submit to one run, and stores its reference before', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 2_500n);
      const order = await submitted(ledger, id);
      expect(order).toMatchObject({
        send: 1,
        operation: 'refund',
        originalId: facts.id,
        amountMinor: 2_500n,
        currency: 'EUR',
      });
      expect(await attempts(id)).toMatchObject([
        { state: 'submitting', reference: order.reference, submissions: 1 },
      ]);
      expect((await ledger.snapshot(id)).state).toBe('submitting');
    });

    it('makes the second run query, never submit', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 2_500n);
      await submitted(ledger, id);
      for (let repeat = 0; repeat < 3; repeat += 1)
        expect(await openLinked(ledger, id)).toMatchObject({
          kind: 'resume',
          snapshot: { state: 'unknown' },
        });
      expect(await attempts(id)).toHaveLength(1);
    });

    it('still records the answer of the first run, which was only slow', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 2_500n);
      const order = await submitted(ledger, id);
      await openLinked(ledger, id);
      expect((await ledger.record(answer(order, paid()))).state).toBe('succeeded');
    });

    it('reverses an authorization in full', async () => {
      const { ledger } = underTest();
      const facts = authorisation([]);
      const order = await submitted(ledger, await accepted(ledger, facts, 10_000n));
      expect(order).toMatchObject({ operation: 'reversal', originalId: facts.id, isPartialReversal: false });
    });

    it('opens a case before a part of an authorization is reversed, unless the acquirer supports it', async () => {
      const { ledger, openCases } = underTest();
      const id = await accepted(ledger, authorisation([]), 4_000n);
      expect(await openLinked(ledger, id)).toMatchObject({
        kind: 'resume',
        snapshot: { state: 'manual_review' },
      });
      expect(await openCases(id)).toEqual(['partial_reversal']);
      const other = await accepted(ledger, authorisation([]), 4_000n);
      const order = await submitted(ledger, other, { ...POLICY, partialReversal: true });
      expect(order).toMatchObject({ operation: 'reversal', isPartialReversal: true, amountMinor: 4_000n });
    });

    it('never reverses a debit that was rejected', async () => {
      const { ledger } = underTest();
      const facts = debit({ state: 'pending' });
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.recordOriginal(facts.id, { ...facts, state: 'rejected', captures: [], capturedMinor: 0n });
      expect(await openLinked(ledger, id)).toMatchObject({
        kind: 'resume',
        snapshot: { state: 'manual_review' },
      });
      expect(await attempts(id)).toEqual([]);
    });
  });

  describe('an attempt', () => {
    type From = 'submitting' | 'unknown' | 'pending' | 'absent' | 'rejected' | 'succeeded' | 'returned';

    async function fixture(
      from: From,
    ): Promise<{ id: string; order: Submission; paymentId: string; known: GatewayId }> {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const order = await submitted(ledger, id);
      const own = gatewayId();
      const record = (outcome: Outcome) => ledger.record(answer(order, outcome));
      if (from === 'unknown') await record(lost);
      if (from === 'pending') await record(pending(own));
      if (from === 'absent') await record(notSent);
      if (from === 'rejected') await record(refused('issuer_declined', own));
      if (from === 'succeeded' || from === 'returned') await record(paid(own));
      if (from === 'returned') await ledger.record(seen(order, refused('issuer_declined', own)));
      return { id, order, paymentId: facts.id, known: own };
    }

    const outcomes = (
      own: GatewayId,
    ): Record<'paid' | 'pending' | 'refused' | 'lost' | 'not sent', Outcome> => ({
      paid: paid(own),
      pending: pending(own),
      refused: refused('issuer_declined', own),
      lost,
      'not sent': notSent,
    });

    // The effect of an answer to the attempt's only submission: state of the attempt and of the refund, and the amounts reserved, paid
    // and returned.
    const TABLE: readonly (readonly [From, keyof ReturnType<typeof outcomes>, AttemptState, RefundState])[] =
      [
        ['submitting', 'paid', 'succeeded', 'succeeded'],
        ['submitting', 'pending', 'pending', 'pending'],
        ['submitting', 'refused', 'rejected', 'rejected'],
        ['submitting', 'lost', 'unknown', 'unknown'],
        ['submitting', 'not sent', 'absent', 'reserved'],
        ['unknown', 'paid', 'succeeded', 'succeeded'],
        ['unknown', 'pending', 'pending', 'pending'],
        ['unknown', 'refused', 'rejected', 'rejected'],
        ['unknown', 'lost', 'unknown', 'unknown'],
        ['unknown', 'not sent', 'absent', 'reserved'],
        ['pending', 'paid', 'succeeded', 'succeeded'],
        ['pending', 'pending', 'pending', 'pending'],
        ['pending', 'refused', 'rejected', 'rejected'],
        ['pending', 'lost', 'pending', 'pending'],
        ['pending', 'not sent', 'pending', 'pending'],
        ['absent', 'paid', 'succeeded', 'succeeded'],
        ['absent', 'pending', 'pending', 'pending'],
        ['absent', 'refused', 'rejected', 'rejected'],
        ['absent', 'lost', 'absent', 'reserved'],
        ['absent', 'not sent', 'absent', 'reserved'],
        ['rejected', 'paid', 'succeeded', 'succeeded'],
        ['rejected', 'pending', 'rejected', 'rejected'],
        ['rejected', 'refused', 'rejected', 'rejected'],
        ['rejected', 'lost', 'rejected', 'rejected'],
        ['rejected', 'not sent', 'rejected', 'rejected'],
        ['succeeded', 'paid', 'succeeded', 'succeeded'],
        ['succeeded', 'pending', 'succeeded', 'succeeded'],
        ['succeeded', 'refused', 'succeeded', 'succeeded'],
        ['succeeded', 'lost', 'succeeded', 'succeeded'],
        ['succeeded', 'not sent', 'succeeded', 'succeeded'],
        ['returned', 'paid', 'returned', 'returned'],
        ['returned', 'refused', 'returned', 'returned'],
      ];

    it.each(TABLE)(
      'that is %s and answered %s becomes %s, its refund %s',
      async (from, what, state, refundState) => {
        const { ledger } = underTest();
        const { id, order, paymentId, known: own } = await fixture(from);
        const evidence = answer(order, outcomes(own)[what]);
        expect((await ledger.record(evidence)).state).toBe(refundState);
        const after = await payment(paymentId);
        expect(await attempts(id)).toMatchObject([{ state }]);
        expect(after.succeededMinor - after.returnedMinor).toBe(state === 'succeeded' ? 10_000n : 0n);
        expect(after.reservedMinor).toBe(state === 'succeeded' ? 0n : 10_000n);

        await ledger.record(evidence);
        expect(await payment(paymentId)).toEqual(after);
        expect(await ledger.snapshot(id)).toMatchObject({ state: refundState, attempts: 1 });
      },
    );

    it('that was paid and is shown declined was returned: the amount is owed and reserved again', async () => {
      const { ledger, openCases } = underTest();
      const { id, paymentId } = await fixture('returned');
      expect(await payment(paymentId)).toMatchObject({
        succeededMinor: 10_000n,
        returnedMinor: 10_000n,
        reservedMinor: 10_000n,
      });
      expect((await ledger.openCase(id, 'returned')).state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['returned']);
    });

    it('that was paid is not undone by an answer or a notification, only by a query of that transaction', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, known: own } = await fixture('succeeded');
      await ledger.record({ ...seen(order, refused('issuer_declined', own)), source: 'notification' });
      expect(await openCases(id)).toEqual([]);
      await ledger.record(answer(order, refused('issuer_declined', own)));
      await ledger.record(seen(order, refused('issuer_declined')));
      await ledger.record(seen(order, refused('issuer_declined', gatewayId())));
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
      expect(await openCases(id)).toEqual(['answers_contradict']);
    });

    it('that was executed twice under one reference is counted twice, and opens a case', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, paymentId } = await fixture('succeeded');
      const second = seen(order, paid());
      await ledger.record(second);
      await ledger.record(second);
      expect(await payment(paymentId)).toMatchObject({
        succeededMinor: 20_000n,
        excessMinor: 10_000n,
        refundableMinor: 0n,
      });
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    it('with a transaction that belongs to another attempt stays unknown', async () => {
      const { ledger, openCases } = underTest();
      const theirs = await fixture('succeeded');
      const { id, order, paymentId } = await fixture('unknown');
      expect((await ledger.record(seen(order, paid(theirs.known)))).state).toBe('unknown');
      expect(await openCases(id)).toEqual(['answers_contradict']);
      expect((await payment(paymentId)).reservedMinor).toBe(10_000n);
      expect((await ledger.record(seen(order, paid()))).state).toBe('succeeded');
    });

    it('that a query finds twice stays open, with a case', async () => {
      const { ledger, openCases } = underTest();
      const { id, order } = await fixture('unknown');
      expect((await ledger.record(seen(order, { kind: 'unknown', why: 'found_twice' }))).state).toBe(
        'unknown',
      );
      expect(await openCases(id)).toEqual(['found_twice']);
    });

    it('that paid after its refund had ended is recorded all the same, and opens a case', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, paymentId, known: own } = await fixture('rejected');
      await ledger.giveUp(id, 'not_owed', 'system');
      expect(await payment(paymentId)).toMatchObject({ reservedMinor: 0n, refundableMinor: 10_000n });
      // The money is reserved for another refund in the meantime.
      await accepted(ledger, debit({ id: paymentId }), 10_000n);
      expect((await ledger.record(seen(order, paid(own)))).state).toBe('succeeded');
      expect(await payment(paymentId)).toMatchObject({ succeededMinor: 10_000n, excessMinor: 10_000n });
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    it('that paid after its refund was withdrawn is recorded all the same', async () => {
      const { ledger, openCases } = underTest();
      const { id, order } = await fixture('absent');
      expect((await ledger.withdraw(id, 'anna', 'changed her mind')).kind).toBe('withdrawn');
      expect((await ledger.record(answer(order, paid()))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual(['paid_twice']);
    });
  });

  describe('a declined attempt that turns out paid', () => {
    it('stops the next attempt, which is not submitted even if it is proven absent', async () => {
      const { ledger, letPass, openCases } = underTest();
      const facts = debit({ capturedMinor: 50_000n });
      const id = await accepted(ledger, facts, 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('wait')));
      await letPass(TIMINGS.retryFirst);
      const second = await submitted(ledger, id);
      await ledger.record(answer(second, lost));
      expect((await ledger.record(seen(first, paid()))).state).toBe('manual_review');
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag);
      for (let notFound = 0; notFound < TIMINGS.notFoundNeeded; notFound += 1) {
        await letPass(TIMINGS.notFoundSpacing + 1);
        await missed(ledger, second);
      }
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      expect((await payment(facts.id)).succeededMinor).toBe(10_000n);
      expect(await openCases(id)).toEqual(['answers_contradict']);
    });

    it('ends the refund when the next attempt is declined: nothing is owed', async () => {
      const { ledger, letPass } = underTest();
      const id = await accepted(ledger, debit(), 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('wait')));
      await letPass(TIMINGS.retryFirst);
      const second = await submitted(ledger, id);
      // The sender still waits for the answer.
      await ledger.record(seen(first, paid()));
      expect((await ledger.record(answer(second, refused('issuer_declined')))).state).toBe('succeeded');
    });

    it('and the next attempt paid as well: both count, and a case is opened', async () => {
      const { ledger, letPass, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('wait')));
      await letPass(TIMINGS.retryFirst);
      const second = await submitted(ledger, id);
      const firstPaid = seen(first, paid());
      await ledger.record(firstPaid);
      await ledger.record(answer(second, paid()));
      expect(await payment(facts.id)).toMatchObject({
        succeededMinor: 20_000n,
        excessMinor: 10_000n,
        reservedMinor: 0n,
      });
      expect(await openCases(id)).toEqual(['answers_contradict', 'paid_twice']);
      // One of the two is returned: the customer has the money once, and nothing is reserved beyond that.
      const [one] = await attempts(id);
      const own = firstPaid.outcome.kind === 'succeeded' ? firstPaid.outcome.gatewayId : undefined;
      expect(one?.gatewayId).toBe(own);
      expect((await ledger.record(seen(first, refused('issuer_declined', own)))).state).toBe('succeeded');
      expect(await payment(facts.id)).toMatchObject({
        returnedMinor: 10_000n,
        excessMinor: 0n,
        reservedMinor: 0n,
      });
    });
  });

  describe('a restarted run', () => {
    it.each([
      'issuer_declined',
      'already_returned',
      'disputed',
      'ambiguous',
      'not_linkable',
      'configuration',
      'not_owed',
    ] as const)(
      'after a decline (%s) submits nothing by itself: the decline was recorded, and its next step is another one',
      async (refusal) => {
        const { ledger } = underTest();
        const id = await accepted(ledger, debit(), 10_000n);
        await ledger.record(answer(await submitted(ledger, id), refused(refusal)));
        expect(await openLinked(ledger, id)).toMatchObject({
          kind: 'resume',
          snapshot: { state: 'rejected', attempts: 1 },
        });
      },
    );

    it('submits again after a soft decline when the wait is over, not before', async () => {
      const { ledger, letPass } = underTest();
      const id = await accepted(ledger, debit(), 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('wait')));
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      await letPass(TIMINGS.retryFirst);
      expect(await submitted(ledger, id)).toMatchObject({ send: 1, operation: 'refund' });
      expect(new Set((await attempts(id)).map(({ reference }) => reference)).size).toBe(2);
    });
  });

  describe('an attempt that is open again after its refund was settled outside', () => {
    async function openUnderEnd() {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const order = await submitted(ledger, id);
      await ledger.record(answer(order, notSent));
      const dispute = {
        id: gatewayId(),
        amountMinor: 10_000n,
        reversedMinor: 0n,
        state: 'succeeded' as const,
      };
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [dispute] });
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      const own = gatewayId();
      expect(await ledger.record(seen(order, pending(own)))).toMatchObject({
        state: 'closed_by_dispute',
        attempt: { state: 'pending' },
      });
      return { ledger, id, order, own };
    }

    it('gets a case once its budget is spent, which closes with its outcome', async () => {
      const { openCases } = underTest();
      const { ledger, id, order, own } = await openUnderEnd();
      const before = await openCases(id);
      await ledger.openCase(id, 'pending_too_long');
      await ledger.openCase(id, 'pending_too_long');
      expect(await openCases(id)).toEqual([...before, 'pending_too_long'].toSorted());
      expect(await ledger.record(seen(order, refused('unlisted', own)))).toMatchObject({
        state: 'closed_by_dispute',
        settled: { settledBy: 'chargeback', settledAmount: '100.00' },
      });
      expect(await openCases(id)).toEqual(before);
    });

    it('is ended by a signed correction, and the refund keeps its final state', async () => {
      const { ledger, id } = await openUnderEnd();
      await underTest().letPass(LATE);
      const correction: Correction = {
        refundId: id,
        outcome: 'failed',
        evidence: 'the acquirer has none',
        gateway: 'silent',
        by: 'berta',
        reason: 'they were asked',
      };
      const proposed = await ledger.correct(correction, { timings: TIMINGS, policy: POLICY });
      const instruction = proposed.kind === 'proposed' ? proposed.instruction : '';
      const note = { gateway: 'silent', by: 'carla', reason: 'seen' } as const;
      const signed = { refundId: id, verdict: 'approved', instruction, ...note } as const;
      expect((await ledger.confirm(signed, TIMINGS)).snapshot).toMatchObject({
        state: 'closed_by_dispute',
        attempt: { state: 'rejected' },
      });
    });
  });
}
