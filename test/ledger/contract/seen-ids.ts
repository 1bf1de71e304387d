/** Ids that the gateway gave: all are stored, and an attempt with an id is never marked absent or submitted again. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../domain/refund/outcome.js';
import type { GatewayId } from '../../../domain/ids.js';
import type { RefundState } from '../../../domain/refund/states.js';
import type { Evidence, Submission } from '../../../ledger/ledger.js';
import {
  answer,
  gatewayId,
  LATE,
  lost,
  missed,
  notSent,
  openLinked,
  paid,
  pending,
  refused,
  seen,
  submitted,
  TIMINGS,
  submittedRefund,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeSeenIds(underTest: () => LedgerUnderTest): void {
  const fixture = () => submittedRefund(underTest().ledger, { minor: 5_000n });
  const idOf = async (refundId: string) =>
    (await underTest().ledger.findRefund(refundId))?.attempts[0]?.gatewayId;
  async function searchInVain(order: Submission): Promise<void> {
    const { ledger, letPass } = underTest();
    await letPass(LATE);
    for (let number = 0; number < TIMINGS.notFoundNeeded; number += 1) {
      await letPass(TIMINGS.notFoundSpacing + 1);
      await missed(ledger, order);
    }
  }
  const unknown = (id: GatewayId, why: Extract<Outcome, { kind: 'unknown' }>['why']): Outcome => ({
    kind: 'unknown',
    why,
    gatewayId: id,
  });

  describe('an id that came with', () => {
    const EVIDENCE: readonly (readonly [string, (order: Submission, id: GatewayId) => Evidence])[] = [
      ['a communication error', (order, id) => answer(order, unknown(id, 'communication'))],
      ['an unlisted code', (order, id) => answer(order, unknown(id, 'unlisted_code'))],
      ['a wrong echo', (order, id) => answer(order, unknown(id, 'wrong_amount'))],
      ['an answer without a code', (order, id) => ({ ...answer(order, lost), ids: [id] })],
      ['a query in doubt', (order, id) => seen(order, unknown(id, 'communication'))],
      [
        'a notification in doubt',
        ({ attemptId }, id) => ({ attemptId, source: 'notification', outcome: lost, ids: [id] }),
      ],
    ];

    it.each(EVIDENCE)('%s is kept, and the attempt is never submitted again', async (_name, evidenceOf) => {
      const { ledger, openCases } = underTest();
      const { id, order } = await fixture();
      const own = gatewayId();
      await ledger.record(evidenceOf(order, own));
      expect(await idOf(id)).toBe(own);
      expect((await ledger.queryTarget(id))?.gatewayIds).toEqual([own]);
      await searchInVain(order);
      expect((await ledger.snapshot(id)).state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['id_not_found']);
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      expect((await ledger.record(seen(order, paid(own)))).state).toBe('succeeded');
      expect(await openCases(id)).toEqual([]);
    });

    it('a decline stays with the attempt, which is followed by another one', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      const own = gatewayId();
      expect((await ledger.record(answer(order, refused('wait', own)))).state).toBe('rejected');
      expect(await idOf(id)).toBe(own);
    });

    it('a form that no id has is kept, and cannot be asked for', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await ledger.record({
        ...answer(order, { kind: 'unknown', why: 'malformed_id' }),
        ids: ['NOT-an.id_1'],
      });
      expect(await idOf(id)).toBe('NOT-an.id_1');
      expect((await ledger.queryTarget(id))?.gatewayIds).toEqual([]);
      await searchInVain(order);
      expect((await ledger.snapshot(id)).state).toBe('manual_review');
    });

    it.each(['4200000000000000', '4200-0000-0000-0000', 'a'.repeat(65), 'with space', ''])(
      'an unknown form (%j) is not stored',
      async (text) => {
        const { ledger } = underTest();
        const { id, order } = await fixture();
        await ledger.record({ ...answer(order, lost), ids: [text] });
        expect(await idOf(id)).toBeNull();
      },
    );

    it('the original’s own id is not the attempt’s', async () => {
      const { ledger } = underTest();
      const { id, order, paymentId } = await fixture();
      await ledger.record({ ...answer(order, lost), ids: [paymentId] });
      expect(await idOf(id)).toBeNull();
      await searchInVain(order);
      expect((await ledger.snapshot(id)).state).toBe('reserved');
    });
  });

  describe('several ids of one attempt', () => {
    it('are all stored, and each can be queried', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      const [one, other, last] = [gatewayId(), gatewayId(), gatewayId()];
      await ledger.record({ ...answer(order, lost), ids: [one, other] });
      await ledger.record(seen(order, pending(last)));
      expect((await ledger.queryTarget(id))?.gatewayIds).toEqual([last, one, other]);
      expect(await idOf(id)).toBe(last);
    });

    it('count as one payment: the certain id counts', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, paymentId } = await fixture();
      await ledger.record({ ...answer(order, lost), ids: [gatewayId()] });
      const own = gatewayId();
      await ledger.record(seen(order, paid(own)));
      await ledger.record(seen(order, paid(own)));
      expect(await ledger.findPayment(paymentId)).toMatchObject({
        succeededMinor: 5_000n,
        reservedMinor: 0n,
      });
      expect(await idOf(id)).toBe(own);
      expect(await openCases(id)).toEqual([]);
    });

    it('are also stored from a late answer to an earlier submission', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await ledger.record(answer(order, lost));
      await searchInVain(order);
      const again = await submitted(ledger, id);
      const own = gatewayId();
      await ledger.record(answer(order, unknown(own, 'communication')));
      await ledger.record(answer(again, lost));
      await searchInVain(again);
      expect((await ledger.snapshot(id)).state).toBe('manual_review');
    });
  });

  describe('an absent attempt for which the gateway shows an id', () => {
    it.each<[string, RefundState, (order: Submission, own: GatewayId) => Evidence]>([
      ['in a late answer in doubt', 'unknown', (order, own) => answer(order, unknown(own, 'communication'))],
      ['in a late decline', 'rejected', (order, own) => answer(order, refused('issuer_declined', own))],
      [
        'in a notification',
        'unknown',
        ({ attemptId }, own) => ({ attemptId, source: 'notification', outcome: lost, ids: [own] }),
      ],
    ])('%s is not absent any more, but %s', async (_name, state, evidenceOf) => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await ledger.record(answer(order, lost));
      await searchInVain(order);
      expect((await ledger.snapshot(id)).state).toBe('reserved');
      await ledger.record(evidenceOf(order, gatewayId()));
      expect((await ledger.snapshot(id)).state).toBe(state);
      expect((await openLinked(ledger, id)).kind).toBe('resume');
    });

    it('in a notification, of which only the id counts, is open again', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await ledger.record(answer(order, lost));
      await searchInVain(order);
      const own = gatewayId();
      for (let repeat = 0; repeat < 2; repeat += 1) await ledger.storeIds(order.attemptId, [own]);
      expect((await ledger.snapshot(id)).state).toBe('unknown');
      expect(await idOf(id)).toBe(own);
    });

    it('does not become absent again when its sender reports that nothing left', async () => {
      const { ledger } = underTest();
      const { id, order } = await fixture();
      await ledger.record({
        attemptId: order.attemptId,
        source: 'notification',
        outcome: lost,
        ids: [gatewayId()],
      });
      expect((await ledger.record(answer(order, notSent))).state).toBe('unknown');
      expect((await openLinked(ledger, id)).kind).toBe('resume');
    });
  });

  describe('an id that is another attempt’s', () => {
    it('opens a case, and recording it never fails', async () => {
      const { ledger, openCases } = underTest();
      const other = await fixture();
      const taken = gatewayId();
      await ledger.record(answer(other.order, paid(taken)));
      const { id, order, paymentId } = await fixture();
      for (const outcome of [
        unknown(taken, 'wrong_reference'),
        paid(taken),
        pending(taken),
        refused('wait', taken),
        { kind: 'unknown', why: 'found_twice', executed: [taken] },
      ] as const) {
        expect((await ledger.record(answer(order, outcome))).state).toBe('unknown');
        await ledger.record(seen(order, outcome));
      }
      expect(await openCases(id)).toContain('answers_contradict');
      expect(await ledger.findPayment(paymentId)).toMatchObject({
        succeededMinor: 0n,
        reservedMinor: 5_000n,
      });
      expect((await ledger.queryTarget(id))?.gatewayIds).toEqual([taken]);
    });
  });
}
