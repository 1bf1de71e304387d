/** Absence: when queries that find nothing prove it, and what may be submitted again then. */
import { describe, expect, it } from 'vitest';
import type { Submission } from '../../../ledger/ledger.js';
import {
  accepted,
  answer,
  debit,
  gatewayId,
  linkedReturn,
  lost,
  missed,
  NEWEST,
  notSent,
  openLinked,
  paid,
  refused,
  seen,
  submitted,
  TIMINGS,
  submittedRefund,
  type LedgerUnderTest,
} from '../fixtures.js';

/** Earlier than everything in a test. */
const LONG_AGO = new Date(0);

export function describeAbsence(underTest: () => LedgerUnderTest): void {
  const fixture = () => submittedRefund(underTest().ledger, { minor: 5_000n, outcome: lost });
  const notFound = (order: Submission, countsTowardsAbsence = true) =>
    missed(underTest().ledger, order, countsTowardsAbsence);
  const proveAbsent = async (order: Submission) => {
    await underTest().letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag);
    for (let number = 0; number < TIMINGS.notFoundNeeded; number += 1) {
      await underTest().letPass(TIMINGS.notFoundSpacing + 1);
      await notFound(order);
    }
  };

  describe('a query that finds nothing', () => {
    it('proves nothing before the last byte could have left and become visible', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await fixture();
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag - 60_000);
      for (let number = 0; number < 10; number += 1) await notFound(order);
      expect(await ledger.snapshot(id)).toMatchObject({ state: 'unknown', attempt: { queries: 10 } });
    });

    it('counts once, however often it is repeated within the spacing', async () => {
      const { letPass } = underTest();
      const { order } = await fixture();
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag + 60_000);
      for (let number = 0; number < 10; number += 1) expect((await notFound(order)).state).toBe('unknown');
    });

    it('never counts if the original was not found either: the entity may be wrong', async () => {
      const { letPass } = underTest();
      const { order } = await fixture();
      for (let number = 0; number < 10; number += 1) {
        await letPass(TIMINGS.visibilityLag);
        expect((await notFound(order, false)).state).toBe('unknown');
      }
    });

    it('proves absence when it is late, repeated and spaced: then the same attempt is submitted again', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await proveAbsent(order);
      expect(await ledger.snapshot(id)).toMatchObject({ state: 'reserved', attempt: { state: 'absent' } });
      const again = await submitted(ledger, id);
      expect(again).toEqual({ ...order, send: 2 });
      expect((await ledger.record(answer(again, paid()))).state).toBe('succeeded');
    });

    it('says nothing about an attempt that the gateway has accepted', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await fixture();
      await ledger.record(seen(order, { kind: 'pending', gatewayId: gatewayId() }));
      for (let number = 0; number < 5; number += 1) {
        await letPass(TIMINGS.visibilityLag);
        await notFound(order);
      }
      expect((await ledger.snapshot(id)).state).toBe('pending');
    });

    it('counts from zero after the attempt was submitted again', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await fixture();
      await proveAbsent(order);
      const again = await submitted(ledger, id);
      await ledger.record(answer(again, lost));
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag + TIMINGS.notFoundSpacing);
      expect((await notFound(again)).state).toBe('unknown');
    });
  });

  describe('an attempt that was submitted twice', () => {
    it('counts a late success of the first submission, and the second may not pay it again', async () => {
      const { ledger, openCases } = underTest();
      const { id, order } = await fixture();
      await proveAbsent(order);
      const again = await submitted(ledger, id);
      const late = paid();
      expect((await ledger.record(answer(order, late))).state).toBe('succeeded');
      expect((await ledger.record(answer(again, late))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual([]);
    });

    it.each([
      ['refusal', refused('issuer_declined')],
      ['lost answer', lost],
      ['word that nothing left', notSent],
    ])(
      'does not treat a late %s of the first submission as an answer to the second',
      async (_name, outcome) => {
        const { ledger } = underTest();
        const { id, order } = await fixture();
        await proveAbsent(order);
        const again = await submitted(ledger, id);
        expect((await ledger.record(answer(order, outcome))).state).toBe('submitting');
        expect((await ledger.record(answer(again, paid()))).state).toBe('succeeded');
      },
    );

    it('is not ended by a query that shows the first submission declined while the second is in transit', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await proveAbsent(order);
      const again = await submitted(ledger, id);
      expect((await ledger.record(seen(order, refused('issuer_declined', gatewayId())))).state).toBe(
        'submitting',
      );
      await ledger.record(answer(again, lost));
      // Nor if its own answer is lost: the decline may be that of the first submission.
      expect((await ledger.record(seen(again, refused('issuer_declined', gatewayId())))).state).toBe(
        'unknown',
      );
    });

    it.each([
      ['the gateway dates the decline after it', { declines: 1, declinedAt: NEWEST }, 'rejected'],
      ['each of the two has its decline', { declines: 2 }, 'rejected'],
      ['the gateway dates it before', { declines: 1, declinedAt: new Date(0) }, 'unknown'],
    ])(
      'is ended by a decline that a query shows only if it is about the latest submission: %s',
      async (_name, shown, state) => {
        const { ledger } = underTest();
        const { id, order } = await fixture();
        await proveAbsent(order);
        const again = await submitted(ledger, id);
        await ledger.record(answer(again, lost));
        const decline = { kind: 'rejected', class: 'issuer_declined', ...shown } as const;
        expect((await ledger.record(seen(order, decline))).state).toBe('unknown');
        expect((await ledger.record(seen(again, decline))).state).toBe(state);
      },
    );

    it('is ended by a decline that a query shows if the first submission was never sent', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 5_000n);
      await ledger.record(answer(await submitted(ledger, id), notSent));
      const again = await submitted(ledger, id);
      await ledger.record(answer(again, lost));
      expect((await ledger.record(seen(again, refused('issuer_declined')))).state).toBe('rejected');
    });

    it('counts no query that began before it was submitted again, and dates a query by its beginning', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await fixture();
      await proveAbsent(order);
      const again = await submitted(ledger, id);
      await ledger.record(answer(again, lost));
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag + TIMINGS.notFoundSpacing);
      for (let number = 0; number < TIMINGS.notFoundNeeded; number += 1) {
        await missed(ledger, order);
        await ledger.recordInconclusive(
          again.attemptId,
          { answer: 'not found', countsTowardsAbsence: true, asked: { send: 2, at: LONG_AGO } },
          TIMINGS,
        );
        await letPass(TIMINGS.notFoundSpacing + 1);
      }
      expect(await ledger.snapshot(id)).toMatchObject({ state: 'unknown', attempt: { queries: 6 } });
      for (let number = 0; number < TIMINGS.notFoundNeeded - 1; number += 1) {
        await missed(ledger, again);
        await letPass(TIMINGS.notFoundSpacing + 1);
      }
      expect((await ledger.snapshot(id)).state).toBe('unknown');
      expect((await missed(ledger, again)).state).toBe('reserved');
    });

    it('is submitted again at once if its sender knows that nothing left', async () => {
      const { ledger } = underTest();
      const id = await accepted(ledger, debit(), 5_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, notSent));
      expect(await submitted(ledger, id)).toEqual({ ...first, send: 2 });
    });
  });

  describe('an attempt that was marked absent', () => {
    it('is not submitted again once a query shows something of it', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await proveAbsent(order);
      const strange = { kind: 'unknown', why: 'wrong_amount', gatewayId: gatewayId() } as const;
      expect((await ledger.record(seen(order, strange))).state).toBe('unknown');
      expect((await openLinked(ledger, id)).kind).toBe('resume');
    });
  });

  describe('known transactions of a query', () => {
    it('are those recorded before the attempt, not later ones: these may be the attempt itself', async () => {
      const { ledger } = underTest();
      const before = linkedReturn({ amountMinor: 1_000n });
      const facts = debit({ returns: [before] });
      const id = await accepted(ledger, facts, 5_000n);
      const order = await submitted(ledger, id);
      await ledger.record(answer(order, lost));
      const after = linkedReturn({ amountMinor: 5_000n });
      await ledger.recordOriginal(facts.id, { ...facts, returns: [before, after] });
      const queryTarget = await ledger.queryTarget(id);
      expect(queryTarget).toMatchObject({
        attemptId: order.attemptId,
        reference: order.reference,
        amountMinor: 5_000n,
      });
      expect(queryTarget?.explained.has(before.id)).toBe(true);
      expect(queryTarget?.explained.has(order.reference)).toBe(true);
      expect(queryTarget?.explained.has(after.id)).toBe(false);
    });
  });
}
