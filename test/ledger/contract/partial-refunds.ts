/** Several captures of one authorization: one refund, paid in parts, one after the other. */
import { describe, expect, it } from 'vitest';
import type { LinkedDispute } from '../../../domain/payment/disputes.js';
import {
  accepted,
  answer,
  authorisation,
  ENTITY,
  gatewayId,
  linkedReturn,
  lost,
  NEWEST,
  notSent,
  openLinked,
  order as ordered,
  paid,
  POLICY,
  refused,
  seen,
  submitted,
  TIMINGS,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeParts(underTest: () => LedgerUnderTest): void {
  describe('an authorization that is captured in part after acceptance', () => {
    /** Accepted for the full authorized amount, of which 60.00 are captured then. */
    async function capturedMeanwhile() {
      const { ledger } = underTest();
      const facts = authorisation([]);
      const id = await accepted(ledger, facts, 10_000n);
      const capture = { id: gatewayId(), amountMinor: 6_000n };
      const after = { ...facts, captures: [capture], capturedMinor: 6_000n };
      return { ledger, facts, id, capture, after };
    }
    const PARTS = { ...POLICY, partialReversal: true };

    it('compares only effective reversals with its captures: a returned one has released nothing', async () => {
      const { ledger, violations } = underTest();
      const facts = authorisation([]);
      const [undone, kept] = [gatewayId(), gatewayId()];
      const ids: string[] = [];
      for (const [as, minor] of [
        [undone, 5_000n],
        [kept, 2_500n],
      ] as const) {
        const id = await accepted(ledger, facts, minor);
        ids.push(id);
        await ledger.record(answer(await submitted(ledger, id, PARTS), paid(as)));
      }
      await ledger.recordOriginal(facts.id, {
        ...facts,
        observedAt: NEWEST,
        captures: [{ id: gatewayId(), amountMinor: 7_500n }],
        capturedMinor: 7_500n,
        returns: [linkedReturn({ id: kept, type: 'reversal', amountMinor: 2_500n, referencedId: facts.id })],
        declined: [undone],
      });
      expect(await ledger.findRefund(ids[0] ?? '')).toMatchObject({ state: 'returned' });
      expect(await ledger.snapshot(ids[1] ?? '')).toMatchObject({
        state: 'succeeded',
        settled: { settledBy: 'reversal', settledAmount: '25.00' },
      });
      expect(await violations()).toEqual([]);
    });

    it('is paid back by a refund of the capture and a reversal of the rest', async () => {
      const { violations, openCases } = underTest();
      const { ledger, facts, id, capture, after } = await capturedMeanwhile();
      await ledger.recordOriginal(facts.id, after);
      expect((await ledger.findPayment(facts.id))?.refundableMinor).toBe(0n);
      const first = await submitted(ledger, id, PARTS);
      expect(first).toMatchObject({ operation: 'refund', originalId: capture.id, amountMinor: 6_000n });
      expect((await ledger.record(answer(first, paid()))).state).toBe('reserved');
      expect(await openCases(id)).toEqual([]);
      const second = await submitted(ledger, id, PARTS);
      expect(second).toMatchObject({ operation: 'reversal', originalId: facts.id, amountMinor: 4_000n });
      expect(second.isPartialReversal).toBe(true);
      expect((await ledger.record(answer(second, paid()))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual([]);
      expect(await ledger.findPayment(facts.id)).toMatchObject({
        succeededMinor: 10_000n,
        reservedMinor: 0n,
        excessMinor: 0n,
        refundableMinor: 0n,
      });
      expect(await violations()).toEqual([]);
    });

    it('gets a case with the owed amount if the entity supports no partial reversal', async () => {
      const { openCases } = underTest();
      const { ledger, facts, id, after } = await capturedMeanwhile();
      await ledger.recordOriginal(facts.id, after);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      expect(await openCases(id)).toEqual(['partial_reversal']);
      expect((await ledger.findRefund(id))?.openCases).toMatchObject([
        { why: 'partial_reversal', details: { owedMinor: '4000', uncapturedMinor: '4000', currency: 'EUR' } },
      ]);
    });

    it.each([
      ['seen with the answer of the reversal', true],
      ['seen later', false],
    ])('and reversed in full still owes what was captured, %s', async (_name, isWithAnswer) => {
      const { violations, openCases } = underTest();
      const { ledger, facts, id, capture, after } = await capturedMeanwhile();
      const reversal = await submitted(ledger, id);
      expect(reversal).toMatchObject({ operation: 'reversal', isPartialReversal: false });
      const executed = answer(reversal, paid());
      if (isWithAnswer)
        expect((await ledger.record({ ...executed, original: after })).state).toBe('reserved');
      else {
        expect((await ledger.record(executed)).state).toBe('succeeded');
        await ledger.recordOriginal(facts.id, after);
        await ledger.recordOriginal(facts.id, after);
      }
      expect(await ledger.findPayment(facts.id)).toMatchObject({
        succeededMinor: 4_000n,
        reservedMinor: 6_000n,
        excessMinor: 0n,
      });
      expect(await violations()).toEqual([]);
      const refund = await submitted(ledger, id);
      expect(refund).toMatchObject({ operation: 'refund', originalId: capture.id, amountMinor: 6_000n });
      expect((await ledger.record(answer(refund, paid()))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual([]);
      expect(await violations()).toEqual([]);
    });

    it('and reversed, with the reversal returned later, owes no more than was released', async () => {
      const { violations } = underTest();
      const { ledger, facts, id, after } = await capturedMeanwhile();
      const reversal = await submitted(ledger, id);
      const own = gatewayId();
      await ledger.record({ ...answer(reversal, paid(own)), original: after });
      await ledger.record(answer(await submitted(ledger, id), paid()));
      expect((await ledger.record(seen(reversal, refused('unlisted', own)))).state).toBe('returned');
      expect(await ledger.findPayment(facts.id)).toMatchObject({
        succeededMinor: 10_000n,
        returnedMinor: 4_000n,
        reservedMinor: 4_000n,
      });
      expect(await violations()).toEqual([]);
    });

    it('whose answer shows less than the captures explain gets a case, and nothing is submitted before a capture is shown', async () => {
      const { ledger, openCases } = underTest();
      const { facts, id, after } = await capturedMeanwhile();
      const reversal = await submitted(ledger, id);
      const outcome = {
        kind: 'succeeded',
        gatewayId: gatewayId(),
        flagged: false,
        releasedMinor: 4_000n,
      } as const;
      expect((await ledger.record(answer(reversal, outcome))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual(['answers_contradict']);
      await ledger.recordOriginal(facts.id, after);
      expect((await ledger.findRefund(id))?.state).toBe('reserved');
      expect((await ledger.findRefund(id))?.attempts[0]?.paidBackMinor).toBe(4_000n);
    });
  });

  describe('a refund of several captures', () => {
    it('is paid capture by capture and ends with the last', async () => {
      const { ledger } = underTest();
      const facts = authorisation([5_000n, 3_000n, 2_000n]);
      const id = await accepted(ledger, facts, 9_000n);
      const taken: (readonly [string | null, bigint])[] = [];
      for (let part = 0; part < 3; part += 1) {
        const order = await submitted(ledger, id);
        taken.push([order.originalId, order.amountMinor]);
        expect((await openLinked(ledger, id)).kind).toBe('resume');
        await ledger.record(answer(order, paid()));
      }
      const [first, second, third] = facts.captures.map((capture) => capture.id);
      expect(taken).toEqual([
        [first, 5_000n],
        [second, 3_000n],
        [third, 1_000n],
      ]);
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
      expect(await ledger.findPayment(facts.id)).toMatchObject({ succeededMinor: 9_000n, reservedMinor: 0n });
    });

    it('skips a capture that a refund made elsewhere has emptied', async () => {
      const { ledger, violations } = underTest();
      const captured = authorisation([6_000n, 4_000n]);
      const [emptied, other] = captured.captures;
      for (const returned of [
        linkedReturn({ amountMinor: 6_000n, referencedId: emptied?.id ?? '' }),
        // The refund is larger than the other capture, so it was of this one.
        linkedReturn({ amountMinor: 6_000n, referencedId: captured.id }),
      ]) {
        const id = gatewayId();
        const captures = captured.captures.map(({ amountMinor }) => ({ id: gatewayId(), amountMinor }));
        const facts = {
          ...captured,
          id,
          captures,
          returns: [
            {
              ...returned,
              referencedId: returned.referencedId === emptied?.id ? (captures[0]?.id ?? '') : id,
            },
          ],
        };
        const refund = await accepted(ledger, facts, 4_000n);
        const order = await submitted(ledger, refund);
        expect(order).toMatchObject({ originalId: captures[1]?.id, amountMinor: 4_000n });
        expect((await ledger.record(answer(order, paid()))).state).toBe('succeeded');
      }
      expect(other?.amountMinor).toBe(4_000n);
      expect(await violations()).toEqual([]);
    });

    const chargeback = (amountMinor: bigint, referencedId = ''): LinkedDispute => ({
      ...{ id: gatewayId(), amountMinor, reversedMinor: 0n, state: 'succeeded', referencedId },
    });

    it.each([
      ['all of it', 6_000n],
      ['a part of it', 1_000n],
    ])('skips a capture with a chargeback of %s', async (_name, amountMinor) => {
      const { ledger } = underTest();
      const captured = authorisation([6_000n, 4_000n]);
      const [disputed, other] = captured.captures;
      const facts = { ...captured, disputes: [chargeback(amountMinor, disputed?.id)] };
      const id = await accepted(ledger, facts, 4_000n);
      expect(await submitted(ledger, id)).toMatchObject({ originalId: other?.id, amountMinor: 4_000n });
    });

    it('that is declined on a capture because of a chargeback continues with another one, once', async () => {
      const { ledger, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const [disputed, other] = facts.captures;
      const id = await accepted(ledger, facts, 4_000n);
      const first = await submitted(ledger, id);
      expect(first.originalId).toBe(disputed?.id);
      await ledger.record(answer(first, refused('disputed')));
      const shown = { ...facts, disputes: [chargeback(6_000n, disputed?.id)] };
      expect((await ledger.applyReconciliation(id, shown, 'decide')).snapshot.state).toBe('reserved');
      const second = await submitted(ledger, id);
      expect(second).toMatchObject({ originalId: other?.id, amountMinor: 4_000n });
      await ledger.record(answer(second, refused('ambiguous')));
      expect((await ledger.applyReconciliation(id, shown, 'decide')).snapshot.state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['partly_disputed']);
    });

    it('that is declined on a capture which was refunded elsewhere in the meantime opens a case', async () => {
      const { ledger, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 4_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('ambiguous')));
      const returns = [linkedReturn({ amountMinor: 6_000n, referencedId: facts.captures[0]?.id ?? '' })];
      await ledger.applyReconciliation(id, { ...facts, returns }, 'decide');
      expect(await openCases(id)).toEqual(['refunded_elsewhere']);
    });

    it('still skips it after a query that does not cover captures', async () => {
      const { ledger } = underTest();
      const captured = authorisation([6_000n, 4_000n]);
      const [emptied, other] = captured.captures;
      const facts = {
        ...captured,
        returns: [linkedReturn({ amountMinor: 6_000n, referencedId: emptied?.id ?? '' })],
      };
      const id = await accepted(ledger, facts, 4_000n);
      await ledger.recordOriginal(facts.id, {
        ...captured,
        ...{ coversCaptures: false, observedAt: new Date(captured.observedAt.getTime() + 1) },
      });
      expect((await submitted(ledger, id)).originalId).toBe(other?.id);
    });

    it('begins with the requested capture', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const asked = facts.captures[1]?.id ?? '';
      const { refund } = await ledger.accept(ordered(asked, 4_000n), { entityId: ENTITY, facts });
      expect(refund.paymentId).toBe(asked);
      expect(await submitted(ledger, refund.id)).toMatchObject({ originalId: asked, amountMinor: 4_000n });
    });

    it('leaves an open attempt of another refund its money', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const one = await accepted(ledger, facts, 6_000n);
      const two = await accepted(ledger, facts, 4_000n);
      expect((await submitted(ledger, one)).originalId).toBe(facts.captures[0]?.id);
      expect((await submitted(ledger, two)).originalId).toBe(facts.captures[1]?.id);
    });

    it('of which a part is paid and the rest finally declined opens a case and never fails', async () => {
      const { ledger, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.record(answer(await submitted(ledger, id), refused('not_owed')));
      expect(await ledger.giveUp(id, 'not_owed', 'system')).toMatchObject({
        state: 'manual_review',
        why: 'partly_refunded',
      });
      expect(await openCases(id)).toEqual(['partly_refunded']);
      expect(await ledger.withdraw(id, 'anna', 'enough')).toMatchObject({
        kind: 'refused',
        why: 'may_have_left',
      });
      expect((await ledger.giveUp(id, 'not_owed', 'system')).state).toBe('manual_review');
      expect((await ledger.findPayment(facts.id))?.reservedMinor).toBe(4_000n);
    });

    it('of which a part is paid and a chargeback pays the rest has succeeded by both', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.record(answer(await submitted(ledger, id), refused('disputed')));
      const disputed = {
        ...facts,
        disputes: [
          { id: 'c'.repeat(31) + '1', amountMinor: 4_000n, reversedMinor: 0n, state: 'succeeded' as const },
        ],
      };
      const { reconciliation, snapshot } = await ledger.applyReconciliation(id, disputed, 'decide');
      expect(reconciliation).toMatchObject({ kind: 'settled', why: 'charged_back' });
      expect(snapshot).toMatchObject({
        state: 'succeeded',
        settled: {
          settledBy: 'refund',
          settledAmount: '100.00',
          settlements: [
            { by: 'refund', amount: '60.00' },
            { by: 'chargeback', amount: '40.00' },
          ],
        },
      });
    });

    it('does not submit an absent part again if an earlier declined one turns out paid and less is owed', async () => {
      const { ledger, letPass, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('wait')));
      await letPass(TIMINGS.retryFirst);
      const second = await submitted(ledger, id);
      expect(second.amountMinor).toBe(6_000n);
      await ledger.record(answer(second, notSent));
      expect((await ledger.record(seen(first, paid()))).state).toBe('manual_review');
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      expect(await openCases(id)).toEqual(['answers_contradict']);
      expect((await ledger.findPayment(facts.id))?.reservedMinor).toBe(4_000n);
    });

    it('that had ended unpaid and of which a part turns out paid opens a case', async () => {
      const { ledger, openCases } = underTest();
      const id = await accepted(ledger, authorisation([6_000n, 4_000n]), 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('not_owed')));
      expect((await ledger.giveUp(id, 'not_owed', 'system')).state).toBe('failed');
      expect((await ledger.record(seen(first, paid()))).state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['paid_twice', 'partly_refunded']);
    });

    it('keeps the rest reserved when the answer to one part is lost', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      const second = await submitted(ledger, id);
      await ledger.record(answer(second, lost));
      expect(await ledger.withdraw(id, 'anna', 'too late')).toMatchObject({
        kind: 'refused',
        why: 'may_have_left',
      });
      expect((await ledger.record(seen(second, paid()))).state).toBe('succeeded');
    });
  });
}
