/** Observations of a payment: the later query counts, amounts follow the gateway, and no fact from outside is refused. */
import { describe, expect, it } from 'vitest';
import type { LinkedDispute } from '../../../domain/payment/disputes.js';
import type { OriginalDoubt, OriginalFacts } from '../../../domain/payment/original.js';
import {
  accepted,
  answer,
  authorisation,
  debit,
  ENTITY,
  gatewayId,
  linkedReturn,
  order,
  paid,
  POLICY,
  refused,
  submitted,
  TIMINGS,
  paymentsOn,
  type LedgerUnderTest,
} from '../fixtures.js';

const chargeback = (change: Partial<LinkedDispute> = {}): LinkedDispute => ({
  ...{ id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' },
  ...change,
});
const at = (second: number): Pick<OriginalFacts, 'observedAt'> => ({ observedAt: new Date(second * 1_000) });
const again: OriginalDoubt = { gatewayId: 'f'.repeat(32), why: 'reversal_of_reversal' };

export function describeObservations(underTest: () => LedgerUnderTest): void {
  const payment = paymentsOn(underTest);

  describe('a chargeback whose amounts change', () => {
    it.each<[string, readonly [amountMinor: bigint, reversedMinor: bigint][]]>([
      [
        'shown later, and won',
        [
          [10_000n, 0n],
          [3_000n, 3_000n],
        ],
      ],
      [
        'grown, and won',
        [
          [3_000n, 0n],
          [5_000n, 5_000n],
        ],
      ],
      [
        'won in parts',
        [
          [10_000n, 4_000n],
          [10_000n, 10_000n],
        ],
      ],
      [
        'is won, lost again in part, and won',
        [
          [10_000n, 10_000n],
          [10_000n, 6_000n],
          [10_000n, 10_000n],
        ],
      ],
      [
        'shrinks below what was won, and is won',
        [
          [10_000n, 9_000n],
          [4_000n, 4_000n],
        ],
      ],
    ])('stands with what the gateway shows: %s', async (_name, steps) => {
      const { ledger } = underTest();
      const facts = debit();
      await accepted(ledger, facts, 100n);
      const { id } = chargeback();
      for (const [amountMinor, reversedMinor] of steps) {
        const disputes = [chargeback({ id, amountMinor, reversedMinor })];
        await ledger.recordOriginal(facts.id, { ...facts, disputes });
        await ledger
          .accept(order(facts.id, 1n), { entityId: ENTITY, facts: { ...facts, disputes } })
          .catch(() => undefined);
        expect(await payment(facts.id)).toMatchObject({ disputedMinor: amountMinor - reversedMinor });
      }
      expect((await payment(facts.id)).disputedMinor).toBe(0n);
      await expect(ledger.accept(order(facts.id, 9_000n), null)).resolves.toMatchObject({ isNew: true });
    });

    it('ends if it is listed as declined, or was open and is not listed; a final one cannot vanish', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 100n);
      const dispute = chargeback();
      const show = async (change: Partial<OriginalFacts>, standing: bigint) => {
        await ledger.recordOriginal(facts.id, { ...facts, ...change });
        expect((await payment(facts.id)).disputedMinor).toBe(standing);
      };
      await show({ disputes: [{ ...dispute, state: 'open' }] }, 10_000n);
      await show({ coversCaptures: false }, 10_000n);
      await show({}, 0n);
      await show({ disputes: [dispute] }, 10_000n);
      expect(await openCases(id)).toEqual([]);
      await show({}, 10_000n);
      expect(await openCases(id)).toEqual(['payment_unclear']);
      await show({ declined: [dispute.id] }, 0n);
      await show({ disputes: [dispute] }, 10_000n);
    });

    it('of 100.00, of which 40.00 were won back, leaves no room for a credit of 100.00', async () => {
      const { ledger } = underTest();
      const facts = debit({ disputes: [chargeback({ reversedMinor: 10_000n })] });
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      const lost = { ...facts, disputes: facts.disputes.map((one) => ({ ...one, reversedMinor: 4_000n })) };
      const { verdict } = await ledger.openCredit(id, lost, TIMINGS, POLICY);
      expect(verdict).toMatchObject({ kind: 'denied', why: ['disputed'] });
      expect((await payment(facts.id)).disputedMinor).toBe(6_000n);
    });
  });

  describe('a fact that cannot be counted', () => {
    it('blocks a credit, and opens a case once, on the refunds that are not final', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      const { verdict } = await ledger.openCredit(id, { ...facts, doubts: [again] }, TIMINGS, POLICY);
      expect(verdict).toMatchObject({ kind: 'denied', why: ['unclear'] });
      expect(await openCases(id)).toEqual(['credit_blocked', 'payment_unclear']);
    });

    it('opens a case on the newest refund if all are final, and only once', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 4_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.recordOriginal(facts.id, { ...facts, doubts: [again] });
      expect(await openCases(id)).toEqual(['payment_unclear']);
      const close = {
        refundId: id,
        outcome: 'case_closed',
        case: 'payment_unclear',
        gateway: 'none',
      } as const;
      await ledger.correct(
        { ...close, evidence: 'letter', by: 'berta', reason: 'asked the acquirer' },
        { timings: TIMINGS, policy: POLICY },
      );
      const { proposal } = (await ledger.findRefund(id)) ?? expect.fail('no refund');
      if (proposal !== null)
        await ledger.confirm(
          {
            refundId: id,
            instruction: proposal.instruction,
            verdict: 'approved',
            gateway: 'none',
            by: 'carla',
            reason: 'seen',
          },
          TIMINGS,
        );
      expect(await openCases(id)).toEqual([]);
      await ledger.recordOriginal(facts.id, { ...facts, doubts: [again] });
      expect(await openCases(id)).toEqual([]);
    });

    it('at the first acceptance opens a case on that refund', async () => {
      const { ledger, openCases } = underTest();
      expect(await openCases(await accepted(ledger, debit({ doubts: [again] }), 100n))).toEqual([
        'payment_unclear',
      ]);
    });
  });

  describe('no fact from outside is refused', () => {
    it('a capture whose amount changes, and one that is not shown any more', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n]);
      const id = await accepted(ledger, facts, 5_000n);
      const captures = facts.captures.map((one) => ({ ...one, amountMinor: 4_000n }));
      const other = { id: gatewayId(), amountMinor: 6_000n };
      await ledger.recordOriginal(facts.id, { ...facts, captures, capturedMinor: 4_000n });
      expect(await payment(facts.id)).toMatchObject({ capturedMinor: 4_000n, excessMinor: 1_000n });
      await ledger.recordOriginal(facts.id, { ...facts, captures: [other], capturedMinor: 6_000n });
      expect(await submitted(ledger, id)).toMatchObject({ originalId: other.id, amountMinor: 5_000n });
    });

    it('a capture that is listed under two payments: no credit on either', async () => {
      const { ledger, openCases } = underTest();
      const first = authorisation([6_000n]);
      const second = authorisation([], { captures: first.captures, capturedMinor: 6_000n });
      const ids = [await accepted(ledger, first, 6_000n), await accepted(ledger, second, 6_000n)];
      await ledger.record(answer(await submitted(ledger, ids[0] ?? ''), refused('not_linkable')));
      const { verdict } = await ledger.openCredit(ids[0] ?? '', first, TIMINGS, POLICY);
      expect(verdict).toMatchObject({ kind: 'denied', why: ['unclear'] });
      for (const id of ids) expect(await openCases(id)).toContain('payment_unclear');
    });

    it('one refund and one chargeback listed under two payments count on both', async () => {
      const { ledger } = underTest();
      const listed = {
        returns: [linkedReturn({ amountMinor: 1_000n })],
        disputes: [chargeback({ amountMinor: 2_000n })],
      };
      for (const facts of [debit(listed), debit(listed)]) {
        await accepted(ledger, facts, 100n);
        await ledger.recordOriginal(facts.id, facts);
        expect(await payment(facts.id)).toMatchObject({ succeededMinor: 1_000n, disputedMinor: 2_000n });
      }
    });

    it('ids and amounts of any form', async () => {
      const { ledger } = underTest();
      const huge = 10n ** 15n;
      const facts = debit({
        returns: [linkedReturn({ id: 'No Id: "x" é', amountMinor: huge })],
        disputes: [chargeback({ id: 'X'.repeat(255), amountMinor: huge })],
      });
      const clean = { ...facts, returns: [], disputes: [] };
      await accepted(ledger, clean, 100n);
      await ledger.recordOriginal(facts.id, facts);
      expect(await payment(facts.id)).toMatchObject({ refundableMinor: 0n, disputedMinor: huge });
    });
  });

  describe('of two queries', () => {
    it('the one that began later counts, whichever is stored last: captures, state, returns, chargebacks', async () => {
      const { ledger } = underTest();
      const older = { ...authorisation([]), ...at(10) };
      const capture = { id: gatewayId(), amountMinor: 3_000n };
      const newer: OriginalFacts = {
        ...older,
        ...at(20),
        ...{ captures: [capture], capturedMinor: 3_000n, state: 'succeeded' },
        ...{ returns: [linkedReturn({ amountMinor: 500n })], disputes: [chargeback({ amountMinor: 700n })] },
      };
      await accepted(ledger, { ...older, ...at(5) }, 1_000n);
      await ledger.recordOriginal(older.id, newer);
      const then = await payment(older.id);
      await ledger.recordOriginal(older.id, { ...older, state: 'pending' });
      await expect(
        ledger.accept(order(older.id, 9_000n), { entityId: ENTITY, facts: older }),
      ).rejects.toMatchObject({ code: 'exceeds_refundable' });
      expect(await payment(older.id)).toEqual(then);
      expect(then).toMatchObject({ capturedMinor: 3_000n, succeededMinor: 500n, disputedMinor: 700n });
    });

    it('the older one leads to no conclusion and no credit', async () => {
      const { ledger } = underTest();
      const facts = { ...debit(), ...at(10) };
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      await ledger.recordOriginal(facts.id, { ...facts, ...at(30) });
      const old = { ...facts, ...at(20) };
      await expect(ledger.openCredit(id, old, TIMINGS, POLICY)).rejects.toThrow('queried later');
      await expect(ledger.applyReconciliation(id, old, 'decide')).rejects.toThrow('queried later');
      const { kind } = await ledger.openCredit(id, { ...facts, ...at(30) }, TIMINGS, POLICY);
      expect(kind).toBe('send');
    });
  });

  it('a refund elsewhere that the first acceptance showed is known to the first refund and to the second', async () => {
    const { ledger } = underTest();
    for (const isFirst of [true, false]) {
      const facts = debit({ returns: [linkedReturn({ amountMinor: 2_000n })] });
      if (!isFirst) await accepted(ledger, facts, 100n);
      const id = isFirst
        ? await accepted(ledger, facts, 3_000n)
        : (await ledger.accept(order(facts.id, 3_000n), null)).refund.id;
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      const { verdict } = await ledger.openCredit(id, facts, TIMINGS, POLICY);
      expect(verdict).toMatchObject({ kind: 'allowed' });
    }
  });

  it('a refund elsewhere that was shown after the acceptance is not known to the refund', async () => {
    const { ledger } = underTest();
    const facts = debit();
    const id = await accepted(ledger, facts, 3_000n);
    const shown = { ...facts, returns: [linkedReturn({ amountMinor: 2_000n })] };
    await ledger.recordOriginal(facts.id, shown);
    await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
    const { verdict } = await ledger.openCredit(id, shown, TIMINGS, POLICY);
    expect(verdict).toMatchObject({ kind: 'denied', why: ['unknown_return'] });
  });
}
